"""A CA rotation with overlap, its plan and a rehearsal, as text for people and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from backend.cli.console import table
from backend.cli.words import day, moment

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.authority_pb2 import Rotation, RotationClient, RotationPlan

ROUTES: Final = {
    "itself": "by itself",
    "file": "login file",
    "manual": "by hand",
    "out": "was out before",
    "cross": "cross certificate",
    "silent": "silent",
}
_LEVELS: Final = {
    "E0": "silent",
    "E1": "heard",
    "E2": "have the new root",
    "E3": "proved it",
    "E4": "on the new CA",
    "E5": "ready without the old CA",
}


def overlap_plan_text(plan: RotationPlan) -> str:
    """Readiness, every client's way through, and what has to be typed."""
    checks = [[check.result, check.test, check.details, check.recommendation or "-"] for check in plan.checks]
    clients = [
        [one.name, one.cluster or "-", ROUTES.get(one.route, one.route), one.why, one.after] for one in plan.clients
    ]
    what = "Rehearsal of a CA rotation" if plan.kind == "rehearsal" else "CA rotation with overlap"
    mode = "each phase is left when its gates are met" if plan.automatic else "each phase is left when you say so"
    return "\n".join(
        [
            f"{what} of {plan.deployment}: generation {plan.from_generation} to {plan.to_generation}. No client loses "
            f"the agent; {mode}.",
            "",
            table(["RESULT", "TEST", "DETAILS", "RECOMMENDATION"], checks),
            "",
            f"{plan.by_itself} go through by themselves, {plan.by_cross} are carried by the cross certificate, "
            f"{plan.silent} are silent; {plan.already_out} were out before.",
            table(["CLIENT", "CLUSTER", "WAY", "WHY", "IF IT DOES NOT MOVE"], clients)
            if clients
            else "There are no clients.",
            "",
            f"Duration: {plan.duration}",
            f"To start it, the deployment's name is typed: {plan.deployment}",
            f"Plan {plan.id}, good until {day(plan.expires_at)}",
            f"Hash {plan.hash}",
        ]
    )


def overlap_plan_values(plan: RotationPlan) -> dict[str, Any]:
    """What the plan has beside that of a disruptive rotation."""
    return {
        "settings": {
            "automatic": plan.automatic,
            "shadow_seconds": plan.shadow_seconds,
            "quiet_seconds": plan.quiet_seconds,
            "stop_percent": plan.stop_percent,
        },
        "wants_approval": plan.wants_approval,
        "counts": {
            "by_itself": plan.by_itself,
            "by_cross": plan.by_cross,
            "silent": plan.silent,
            "already_out": plan.already_out,
        },
        "clients": [
            {
                "name": one.name,
                "cluster": one.cluster,
                "kind": one.kind,
                "owner": one.owner,
                "route": one.route,
                "why": one.why,
                "after": one.after,
            }
            for one in plan.clients
        ],
    }


def overlap_counts(rotation: Rotation) -> str:
    """How many clients stand on which rung; the numbers sum to the total."""
    known = ", ".join(f"{one.count} {_LEVELS.get(one.level, one.level)}" for one in rotation.levels if one.count)
    return f"{known or 'no clients'}, {rotation.total} in all"


def overlap_text(rotation: Rotation, *, all_clients: bool) -> str:
    """Where it stands, what it waits for, what was probed, and the clients that it waits for, or all."""
    is_told = rotation.outcome.replace("_", " ") == rotation.phase
    outcome = "" if is_told else rotation.outcome.replace("_", " ") + " "
    ended = f", {outcome}{day(rotation.ended_at)}" if rotation.ended_at else ""
    what = "Rehearsal" if rotation.kind == "rehearsal" else "CA rotation with overlap"
    mode = "" if rotation.kind == "rehearsal" else ", automatic" if rotation.automatic else ", manual"
    parts = [
        f"{what} {rotation.id} of {rotation.deployment}: generation {rotation.from_generation} to "
        f"{rotation.to_generation}, {rotation.phase}{ended}{mode}, by {rotation.actor}: {rotation.reason}",
        overlap_counts(rotation),
    ]
    if rotation.probes:
        parts.append(_probes(rotation))
    if rotation.held:
        parts.append(f"HELD: {rotation.held}")
    if not rotation.ended_at:
        parts += [f"next: {rotation.next_step}", f"way back: {rotation.way_back}"]
    if rotation.gates:
        gates = [["met" if gate.met else "open", gate.test, gate.why] for gate in rotation.gates]
        parts += ["", table(["GATE", "TEST", "WHY"], gates)]
    shown = [one for one in rotation.clients if all_clients or one.awaited or one.careless or one.would_fail_at]
    if shown:
        parts += ["", table(["CLIENT", "CLUSTER", "LEVEL", "SINCE", "BY", "WAY", "NOTE"], [_row(one) for one in shown])]
    return "\n".join(parts)


def _probes(rotation: Rotation) -> str:
    made = sum(one.made for one in rotation.probes)
    off = sum(one.deviations for one in rotation.probes)
    return f"{made:,} probes, {off} not as the truth table says"


def _row(one: RotationClient) -> list[str]:
    since = day(one.level_at) if one.level_at else "-"
    note = one.careless or one.waived or one.last_error
    if not note and one.would_fail_at:
        note = f"would have failed {day(one.would_fail_at)} from {one.would_fail_from}"
    way = ROUTES.get(one.route, one.route)
    return [one.name, one.cluster or "-", one.level, since, one.level_source or "-", way, note or "-"]


def overlap_values(rotation: Rotation) -> dict[str, Any]:
    """What it has beside a disruptive rotation; `counts` are those of the levels."""
    return {
        "cause": rotation.cause,
        "automatic": rotation.automatic,
        "held": rotation.held,
        "epoch": rotation.epoch,
        "next_step": rotation.next_step,
        "way_back": rotation.way_back,
        "rolled_back_from": rotation.rolled_back_from,
        "counts": {"total": rotation.total} | {one.level: one.count for one in rotation.levels},
        "probes": [
            {
                "cell": one.cell,
                "expected": one.expected,
                "observed": one.observed,
                "made": one.made,
                "deviations": one.deviations,
                "last_at": moment(one.last_at) or None,
            }
            for one in rotation.probes
        ],
        "waves": [
            {"number": one.number, "total": one.total, "moved": one.moved, "failed": one.failed}
            for one in rotation.waves
        ],
        "would_fail": list(rotation.would_fail),
        "clients": [_client_values(one) for one in rotation.clients],
    }


def _client_values(one: RotationClient) -> dict[str, Any]:
    return {
        "name": one.name,
        "cluster": one.cluster,
        "kind": one.kind,
        "owner": one.owner,
        "route": one.route,
        "after": one.after,
        "level": one.level,
        "level_at": moment(one.level_at) or None,
        "level_source": one.level_source,
        "wave": one.wave,
        "awaited": one.awaited,
        "waived": one.waived,
        "written_off": one.written_off,
        "careless": one.careless,
        "generation": one.generation,
        "would_fail_at": moment(one.would_fail_at) or None,
        "would_fail_from": one.would_fail_from,
        "last_error": one.last_error,
    }
