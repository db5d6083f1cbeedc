"""What a set of clients needs, put together: how many to renew, to rotate, to bring back, and whom to leave alone.

Pure; the next step of each is core's (domain.md 16.5). It only sorts them; what an action would do is the agent's
plan, which is asked for group by group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from backend.core.facts import NextAction
from backend.core.planrules import ActionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One group. `command` is the id of the command that plans it, "" when nothing here helps."""

    words: str
    note: str
    command: str = ""
    action: ActionKind | None = None
    names: frozenset[NextAction] = frozenset()


STEPS: Final = (
    Step(
        words="renew",
        note="no downtime",
        command="renew",
        action=ActionKind.RENEW,
        names=frozenset({NextAction.RENEW, NextAction.AUTO_LATE}),
    ),
    Step(
        words="rotate token",
        note="no downtime",
        command="rotate_token",
        action=ActionKind.ROTATE_TOKEN,
        names=frozenset({NextAction.ROTATE_TOKEN}),
    ),
    Step(
        words="repair",
        note="a login file is delivered, it signs in again",
        command="repair",
        action=ActionKind.REPAIR,
        names=frozenset({NextAction.SIGN_IN, NextAction.REPAIR, NextAction.REISSUE_LOGIN, NextAction.FIRST_SIGN_IN}),
    ),
    Step(
        words="rotate the CA",
        note="renewing does not help them, the CA ends first",
        command="rotate_ca",
        names=frozenset({NextAction.ROTATE_CA}),
    ),
    Step(
        words="leave to auto",
        note="they renew or rotate by themselves",
        names=frozenset({NextAction.AUTO, NextAction.AUTO_ROTATE}),
    ),
    Step(words="wait", note="an operation is at work on them", names=frozenset({NextAction.WAIT})),
    Step(
        words="see to by hand",
        note="nothing can be ordered from here; d says what helps",
        names=frozenset(
            {
                NextAction.RENEW_THERE,
                NextAction.NEW_IDENTITY,
                NextAction.FIX_CLOCK,
                NextAction.PROBE,
                NextAction.EXPLAIN_ORPHAN,
            }
        ),
    ),
    Step(words="nothing to do", note="", names=frozenset({NextAction.NONE})),
)


def steps_of(clients: Iterable[tuple[int, NextAction]]) -> list[tuple[Step, list[int]]]:
    """Sort clients (number, next step) into the groups that they need; groups without a client are left out."""
    found: dict[NextAction, Step] = {name: step for step in STEPS for name in step.names}
    groups: dict[str, list[int]] = {}
    for number, name in clients:
        groups.setdefault(found[name].words, []).append(number)
    return [(step, groups[step.words]) for step in STEPS if step.words in groups]


def steps_counted(counts: Mapping[NextAction, int]) -> list[tuple[Step, int]]:
    """Return how many clients each group has, from how many have each next step; empty groups are left out."""
    found = [(step, sum(counts.get(name, 0) for name in step.names)) for step in STEPS]
    return [(step, number) for step, number in found if number]


def steps_words(groups: Iterable[tuple[Step, int]]) -> str:
    """Return `renew 39, rotate token 6, leave to auto 3`."""
    return ", ".join(f"{step.words} {number}" for step, number in groups)
