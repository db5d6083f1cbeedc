"""Confirming a change: bound to what was shown, and never taken for granted without a terminal (domain.md, US-20.3).

One client asks for a `y`; several ask for their number, so that a habit of the fingers is not enough (tui.md 5.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.cli.console import ask, can_ask
from backend.cli.edge import NotConfirmed
from backend.cli.words import SHOWN_HASH, action_word

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.operation_pb2 import Plan


def confirm_plan(plan: Plan, *, yes: bool, confirm: str) -> None:
    """Return when the plan as it was shown is confirmed.

    Raises:
        NotConfirmed: nothing was changed; the sentence says how to confirm.
    """
    if confirm:
        given = confirm.strip().lower()
        if len(given) < SHOWN_HASH or not plan.hash.startswith(given):
            raise NotConfirmed(
                f"the hash {given} is not that of the plan shown ({plan.hash[:SHOWN_HASH]}): it was mistyped, or the "
                "facts have changed since; look at the plan again. Nothing was changed"
            )
        return
    if yes:
        return
    if not can_ask():
        raise NotConfirmed(
            f"nothing was changed: there is no terminal to confirm at; repeat the command with --confirm "
            f"{plan.hash[:SHOWN_HASH]}, or with --yes for whatever is planned then"
        )
    verb = action_word(plan.action)
    if plan.runs == 1:
        name = next(target.name for target in plan.targets if target.runs)
        _expect("y", f"{verb.capitalize()} {name}? Type y to go on:")
    else:
        _expect(str(plan.runs), f"Type the number of clients to {verb} to go on:")


def confirm_change(what: str, word: str, *, yes: bool, confirm: str) -> None:
    """Return when a change that has no plan is confirmed; `what` says it in a sentence, `word` is to be repeated.

    Raises:
        NotConfirmed: nothing was changed; the sentence says how to confirm.
    """
    if confirm:
        if confirm != word:
            raise NotConfirmed(f"--confirm says {confirm!r}, and it has to repeat {word!r}; nothing was changed")
        return
    if yes:
        return
    if not can_ask():
        raise NotConfirmed(
            f"nothing was changed: there is no terminal to confirm at; repeat the command with --confirm {word}, "
            "or with --yes"
        )
    _expect("y", f"{what} Type y to go on:")


def _expect(wanted: str, question: str) -> None:
    if ask(question).lower() != wanted:
        raise NotConfirmed("not confirmed; nothing was changed")


def confirm_by_name(question: str, name: str, *, confirm: str) -> str:
    """Return what was typed when it is exactly `name`; there is no default, and `--yes` cannot stand for it (US-15).

    Raises:
        NotConfirmed: it is another text, or there is neither --confirm nor a terminal.
    """
    if not confirm and not can_ask():
        raise NotConfirmed(
            "nothing was changed: there is no terminal to type the confirmation at; give --confirm with the "
            "deployment's name, exactly as the plan shows it"
        )
    typed = confirm or ask(question)
    if typed != name:
        raise NotConfirmed(f"{typed!r} is not the deployment's name; nothing was changed")
    return typed
