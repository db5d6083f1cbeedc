"""From a key to a running operation: ask for a plan, show it, and start it when it is confirmed.

Owns the order of these steps and nothing on the screen. Every call to the agent runs beside the screen; an operation
lives in the agent, so whoever follows it here may stop at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from textual.screen import Screen

from backend.core.errors import AgentError, ConfirmationRefused, NotFound, PlanChanged
from backend.core.plan import NOT_DUE, ActionKind
from backend.core.update import UpdateScope
from tui.format import count
from tui.gateway import OperationView, PlanView
from tui.holding import HOLD_SECONDS, Held
from tui.marks import client_id
from tui.preview import NOUNS, difference
from tui.screens.plan_dialog import Choice, NothingDialog, Offer, PlanDialog, next_parallel
from tui.sites import Site

if TYPE_CHECKING:
    from tui.app import MocdeckApp

PRODUCTION: Final = "PROD"
POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a plan was asked for; asking again for the same is how a plan is made anew. With a reason it is forced."""

    action: ActionKind
    site: Site  # whose agent is asked
    names: tuple[str, ...] = ()
    update: UpdateScope | None = None
    reason: str = ""
    parallel: int = 0
    resumes: str = ""  # the operation to go on with; whom it is about, force and reason are then its own

    async def plan(self, app: MocdeckApp) -> PlanView:
        """Ask the agent."""
        if self.resumes:
            return await self.site.gateway.plan_resumption(self.resumes, parallel=self.parallel)
        return await self.site.gateway.plan(
            self.action,
            self.names,
            force=bool(self.reason),
            reason=self.reason,
            parallel=self.parallel,
            update=self.update,
        )

    def whom(self) -> str:
        """Return whom it is about, in a few words."""
        if self.resumes:
            return "the clients that are left"
        if self.update is None:
            return count(len(self.names), "client")
        return f"cluster {self.update.cluster}" if self.update.cluster else "node agents and management cluster"


def start_action(
    app: MocdeckApp, action: ActionKind, names: Sequence[str], *, reason: str = "", parallel: int = 0
) -> None:
    """Plan an action and show the plan; with a reason it is forced. Returns at once."""
    waiting = next((name for name in names if app.outbox.holding.holds(name, app.current_site.fleet.place)), None)
    if waiting is not None:
        app.notice(f"{NOUNS[action][0]}: {waiting} waits to be sent already; u takes that back", "warning")
        return
    _ask(app, _Wish(site=app.current_site, action=action, names=tuple(names), reason=reason, parallel=parallel))


def start_update(app: MocdeckApp, scope: UpdateScope) -> None:
    """Plan the update of a cluster's certificates, or of management's, and show the plan. Returns at once."""
    _ask(app, _Wish(site=app.current_site, action=ActionKind.UPDATE, update=scope))


def start_resumption(app: MocdeckApp, operation: OperationView) -> None:
    """Plan what an operation that was stopped or failed has left, and show the plan. Returns at once."""
    _ask(app, _Wish(site=app.current_site, action=operation.action, resumes=operation.id))


def _ask(app: MocdeckApp, wish: _Wish, seen: PlanView | None = None) -> None:
    what = NOUNS[wish.action][0]
    origin = app.screen
    app.notice(f"{what}: asking the agent what would happen to {wish.whom()}", "dim")
    app.run_agent_call(wish.plan(app), what=what, then=lambda plan: _show(app, origin, plan, wish, seen))


def _show(app: MocdeckApp, origin: Screen[object], plan: PlanView, wish: _Wish, seen: PlanView | None) -> None:
    if app.screen is not origin:
        app.notice(f"{NOUNS[plan.action][0]}: planned, but you went on; press its key again to see the plan", "warning")
        return
    app.notice_text = ""
    app.redraw()
    if not plan.runs:
        _show_nothing(app, plan, wish)
        return
    tag = PRODUCTION if app.tag_of(wish.site).upper() == PRODUCTION else ""
    changes = () if seen is None else difference(seen, plan)
    scope = wish.update
    typed = len(plan.targets) > 1 or bool(tag) or scope is not None
    balancers = scope.patch_load_balancer if scope is not None and scope.cluster else None
    if not (app.settings.asks_for_one or typed or changes or plan.force):
        _hold(app, plan, wish)  # the operator chose so: ten seconds and `u` instead of a question
        return
    dialog = PlanDialog(plan, typed=typed, tag=tag, changes=changes, balancers=balancers)

    def chosen(choice: Choice | None) -> None:
        if choice is Choice.START:
            _hold(app, plan, wish)
        elif choice is Choice.AGAIN:
            _ask(app, wish)
        elif choice is Choice.PARALLEL:
            _ask(app, replace(wish, parallel=next_parallel(plan.parallel)))
        elif choice is Choice.BALANCERS and scope is not None:
            _ask(app, replace(wish, update=replace(scope, patch_load_balancer=not scope.patch_load_balancer)))
        else:
            app.notice(f"{NOUNS[plan.action][0]}: not started")

    app.push_screen(dialog, chosen)


def _show_nothing(app: MocdeckApp, plan: PlanView, wish: _Wish) -> None:
    if wish.resumes:
        app.push_screen(NothingDialog(plan, {}, ()))
        return
    if wish.update is not None:
        forced = () if plan.force else tuple(target.name for target in plan.targets if target.why.startswith(NOT_DUE))

        def again(offer: Offer | None) -> None:
            if offer is not None:
                _ask(app, replace(wish, reason=offer.reason))

        app.push_screen(NothingDialog(plan, {}, forced), again)
        return
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


async def _start_or_replan(app: MocdeckApp, plan: PlanView, wish: _Wish) -> OperationView | PlanView:
    try:
        return await wish.site.gateway.start(plan)
    except (PlanChanged, ConfirmationRefused, NotFound):
        return await wish.plan(app)


def _hold(app: MocdeckApp, plan: PlanView, wish: _Wish) -> None:
    """Queue a confirmed plan for ten seconds; only then the first call leaves, and until then `u` takes it back."""
    origin = app.screen
    since = app.last_key_at
    running = [target for target in plan.targets if target.runs]
    app.outbox.hold(
        Held(
            what=NOUNS[plan.action][0],
            names=tuple(target.name for target in running),
            numbers=frozenset(client_id(wish.site.fleet.place, target.number) for target in running),
            marks=frozenset(app.model.marks),
            leaves_at=app.clock.monotonic() + HOLD_SECONDS,
            send=lambda: _start(app, plan, wish, origin, since),
            site=wish.site.fleet.place,
        )
    )


def _start(app: MocdeckApp, plan: PlanView, wish: _Wish, origin: Screen[object], since: float) -> None:
    """Send it. Its progress opens by itself for whoever has only waited since the confirmation (`since`)."""
    what = NOUNS[plan.action][0]
    app.notice(f"{what}: starting", "dim")

    def then(result: OperationView | PlanView) -> None:
        if isinstance(result, PlanView):
            _show(app, origin, result, wish, plan)
            return
        app.toast_result(
            f"{what} {'resumed' if plan.resumes else 'started'} for {count(plan.runs, 'client')}; 5 shows it"
        )
        follow(app, result, wish.site)
        if plan.resumes and _shows(app.screen, result):
            return
        by_hand = any(target.runs and target.route == "manual" for target in plan.targets)
        if (plan.runs > 1 or by_hand) and app.screen is origin and app.last_key_at == since:
            open_operation(app, result, wish.site)

    app.run_agent_call(_start_or_replan(app, plan, wish), what=what, then=then)


def _shows(screen: Screen[object], operation: OperationView) -> bool:
    """Give the operation's own screen, if that is the present one, the operation as it runs again."""
    from tui.screens.operation import OperationScreen

    if not isinstance(screen, OperationScreen) or screen.operation.id != operation.id:
        return False
    screen.operation = operation
    screen.draw()
    return True


def follow(app: MocdeckApp, operation: OperationView, site: Site) -> None:
    """Watch an operation that this session started, to tell its result when it has ended."""
    app.run_worker(_follow(app, operation, site), group="follow", exit_on_error=False, name=f"follow {operation.id}")


async def _follow(app: MocdeckApp, operation: OperationView, site: Site) -> None:
    while operation.ended_at is None:
        await app.clock.sleep(POLL_SECONDS)
        try:
            operation = await site.gateway.operation(operation.id)
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


def open_operation(app: MocdeckApp, operation: OperationView, site: Site | None = None) -> None:
    """Show the progress of an operation; of the current site's when none is named."""
    from tui.screens.operation import OperationScreen

    if site is not None:
        app.enter_site(site.fleet.place)
    app.push_screen(OperationScreen(operation, app.current_site))
