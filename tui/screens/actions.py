"""From a key to a running operation: ask for a plan, show it, and start it when it is confirmed.

Owns the order of these steps and nothing on the screen. Every call to the agent runs beside the screen; an operation
lives in the agent, so whoever follows it here may stop at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.screen import Screen

from backend.core.errors import AgentError, ConfirmationRefused, NotFound, PlanChanged
from backend.core.plan import ActionKind
from tui.format import count
from tui.gateway import OperationView, PlanView
from tui.preview import NOUNS, difference
from tui.screens.plan_dialog import Choice, NothingDialog, Offer, PlanDialog, next_parallel

if TYPE_CHECKING:
    from tui.app import MocdeckApp

PRODUCTION: Final = "PROD"
POLL_SECONDS: Final = 1.0


def start_action(
    app: MocdeckApp, action: ActionKind, names: Sequence[str], *, reason: str = "", parallel: int = 0
) -> None:
    """Plan an action and show the plan; with a reason it is forced. Returns at once."""
    _ask(app, action, tuple(names), reason=reason, parallel=parallel, seen=None)


def _ask(
    app: MocdeckApp,
    action: ActionKind,
    names: tuple[str, ...],
    *,
    reason: str,
    parallel: int,
    seen: PlanView | None,
) -> None:
    what = NOUNS[action][0]
    origin = app.screen
    app.notice(f"{what}: asking the agent what would happen to {count(len(names), 'client')}", "dim")
    app.run_agent_call(
        app.gateway.plan(action, names, force=bool(reason), reason=reason, parallel=parallel),
        what=what,
        then=lambda plan: _show(app, origin, plan, names, seen),
    )


def _show(
    app: MocdeckApp, origin: Screen[object], plan: PlanView, names: tuple[str, ...], seen: PlanView | None
) -> None:
    if app.screen is not origin:
        app.notice(f"{NOUNS[plan.action][0]}: planned, but you went on; press its key again to see the plan", "warning")
        return
    app.notice_text = ""
    app.redraw()
    if not plan.runs:
        _show_nothing(app, plan)
        return
    tag = PRODUCTION if app.site_tag.upper() == PRODUCTION else ""
    changes = () if seen is None else difference(seen, plan)
    dialog = PlanDialog(plan, typed=len(plan.targets) > 1 or bool(tag), tag=tag, changes=changes)

    def chosen(choice: Choice | None) -> None:
        if choice is Choice.START:
            _start(app, plan, names)
        elif choice is Choice.AGAIN:
            _ask(app, plan.action, names, reason=plan.reason, parallel=plan.parallel, seen=None)
        elif choice is Choice.PARALLEL:
            parallel = next_parallel(plan.parallel)
            _ask(app, plan.action, names, reason=plan.reason, parallel=parallel, seen=None)
        else:
            app.notice(f"{NOUNS[plan.action][0]}: not started")

    app.push_screen(dialog, chosen)


def _show_nothing(app: MocdeckApp, plan: PlanView) -> None:
    better: dict[ActionKind, list[str]] = {}
    forcible: list[str] = []
    now = app.now
    for target in plan.targets:
        verdicts = {} if now is None else app.model.verdicts(target.number, now)
        for action, verdict in verdicts.items():
            if action is not plan.action and verdict.runs:
                better.setdefault(action, []).append(target.name)
            elif action is plan.action and verdict.forced_by_reason and not plan.force:
                forcible.append(target.name)

    def chosen(offer: Offer | None) -> None:
        if offer is not None:
            start_action(app, offer.action, offer.names, reason=offer.reason)

    app.push_screen(NothingDialog(plan, better, forcible), chosen)


async def _start_or_replan(app: MocdeckApp, plan: PlanView, names: tuple[str, ...]) -> OperationView | PlanView:
    try:
        return await app.gateway.start(plan)
    except (PlanChanged, ConfirmationRefused, NotFound):
        return await app.gateway.plan(plan.action, names, force=plan.force, reason=plan.reason, parallel=plan.parallel)


def _start(app: MocdeckApp, plan: PlanView, names: tuple[str, ...]) -> None:
    what = NOUNS[plan.action][0]
    origin = app.screen
    app.notice(f"{what}: starting", "dim")

    def then(result: OperationView | PlanView) -> None:
        if isinstance(result, PlanView):
            _show(app, origin, result, names, plan)
            return
        app.model.marks.clear()  # their work is under way; the next key is about something else
        app.toast_result(f"{what} started for {count(plan.runs, 'client')}; 5 shows it")
        follow(app, result)
        by_hand = any(target.runs and target.route == "manual" for target in plan.targets)
        if (plan.runs > 1 or by_hand) and app.screen is origin:
            open_operation(app, result)

    app.run_agent_call(_start_or_replan(app, plan, names), what=what, then=then)


def follow(app: MocdeckApp, operation: OperationView) -> None:
    """Watch an operation that this session started, to tell its result when it has ended."""
    app.run_worker(_follow(app, operation), group="follow", exit_on_error=False, name=f"follow {operation.id}")


async def _follow(app: MocdeckApp, operation: OperationView) -> None:
    while operation.ended_at is None:
        await app.clock.sleep(POLL_SECONDS)
        try:
            operation = await app.gateway.operation(operation.id)
        except NotFound:
            return
        except AgentError:
            continue  # the agent is away, and the operation goes on in it; the next look tells
    app.toast_result(result_of(operation))


def result_of(operation: OperationView) -> str:
    """Return how an operation ended, in one line; for one client with what was proved or why it failed."""
    what = NOUNS[operation.action][0]
    if operation.total == 1:
        target = operation.targets[0]
        return f"{what} {target.name}: {target.state}: {target.result}"
    parts = [
        f"{number} {word}"
        for number, word in (
            (operation.done, "done"),
            (operation.failed, "failed"),
            (operation.waiting, "not started"),
            (operation.skipped, "left alone"),
        )
        if number
    ]
    failed = next((target for target in operation.targets if target.state == "failed"), None)
    why = "" if failed is None else f"; {failed.name}: {failed.result}"
    return f"{what} {operation.state}: {', '.join(parts)} of {operation.total}{why}"


def open_operation(app: MocdeckApp, operation: OperationView) -> None:
    """Show the progress of an operation."""
    from tui.screens.operation import OperationScreen

    app.push_screen(OperationScreen(operation))
