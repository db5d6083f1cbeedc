"""A CA rotation as text for people and as plain values: its plan, where it stands, every client by name."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from backend.cli.console import table
from backend.cli.overlapforms import (
    ROUTES,
    overlap_counts,
    overlap_plan_text,
    overlap_plan_values,
    overlap_text,
    overlap_values,
)
from backend.cli.words import day, moment

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.authority_pb2 import AuthorityList, Rotation, RotationClient, RotationPlan

_ONE_CUT: Final = {"", "disruptive", "compromise"}  # kinds in which everybody loses the agent at once
PLAN_SCHEMA: Final = "mocdeck.rotation-plan/1"
ROTATION_SCHEMA: Final = "mocdeck.rotation/1"


def plan_text(plan: RotationPlan) -> str:
    """Readiness, blast radius and what has to be typed."""
    if plan.kind not in _ONE_CUT:
        return overlap_plan_text(plan)
    checks = [[check.result, check.test, check.details, check.recommendation or "-"] for check in plan.checks]
    clients = [
        [one.name, one.cluster or "-", one.kind, ROUTES.get(one.route, one.route), one.why] for one in plan.clients
    ]
    return "\n".join(
        [
            f"CA rotation of {plan.deployment}: generation {plan.from_generation} to {plan.to_generation}. Every "
            "client loses its connection and has to sign in again.",
            "",
            table(["RESULT", "TEST", "DETAILS", "RECOMMENDATION"], checks),
            "",
            f"{plan.by_itself} come back by themselves, {plan.by_file} by a login file, {plan.by_hand} by hand; "
            f"{plan.already_out} were out before.",
            table(["CLIENT", "CLUSTER", "KIND", "WAY BACK", "WHY"], clients) if clients else "There are no clients.",
            "",
            f"Duration: {plan.duration}",
            f"To start it, the deployment's name is typed: {plan.deployment}",
            f"Plan {plan.id}, good until {day(plan.expires_at)}",
            f"Hash {plan.hash}",
        ]
    )


def plan_values(plan: RotationPlan) -> dict[str, Any]:
    """The plan as plain values."""
    return {
        "schema": PLAN_SCHEMA,
        "id": plan.id,
        "hash": plan.hash,
        "made_at": moment(plan.made_at),
        "expires_at": moment(plan.expires_at),
        "deployment": plan.deployment,
        "from_generation": plan.from_generation,
        "to_generation": plan.to_generation,
        "duration": plan.duration,
        "checks": [
            {
                "test": check.test,
                "category": check.category,
                "result": check.result,
                "details": check.details,
                "recommendation": check.recommendation,
            }
            for check in plan.checks
        ],
        "counts": {
            "by_itself": plan.by_itself,
            "by_file": plan.by_file,
            "by_hand": plan.by_hand,
            "already_out": plan.already_out,
        },
        "clients": [_client(one) for one in plan.clients],
        "kind": plan.kind or "disruptive",
    } | (overlap_plan_values(plan) if plan.kind not in _ONE_CUT else {})


def rotation_text(rotation: Rotation, *, all_clients: bool) -> str:
    """Where a rotation stands; of the clients only those that are not back, unless all are wanted."""
    if rotation.kind not in _ONE_CUT:
        return overlap_text(rotation, all_clients=all_clients)
    shown = [one for one in rotation.clients if all_clients or one.state != "returned"]
    rows = [
        [one.name, one.cluster or "-", one.state, ROUTES.get(one.route, one.route), one.last_error or one.why or "-"]
        for one in shown
    ]
    gates = [["met" if gate.met else "open", gate.test, gate.why] for gate in rotation.gates]
    ended = f", {rotation.outcome} {day(rotation.ended_at)}" if rotation.ended_at else ""
    parts = [
        f"CA rotation {rotation.id} of {rotation.deployment}: generation {rotation.from_generation} to "
        f"{rotation.to_generation}, {rotation.phase}{ended}, by {rotation.actor}: {rotation.reason}",
        rotation_counts(rotation),
    ]
    if rotation.outage_max_seconds:
        parts.append(f"outage: {rotation.outage_p50_seconds} s median, {rotation.outage_max_seconds} s longest")
    if gates:
        parts += ["", table(["GATE", "TEST", "WHY"], gates)]
    if rows:
        parts += ["", table(["CLIENT", "CLUSTER", "STATE", "WAY BACK", "WHY"], rows)]
    return "\n".join(parts)


def rotation_counts(rotation: Rotation) -> str:
    """The counts of all clients, which sum to the total."""
    if rotation.kind not in _ONE_CUT:
        return overlap_counts(rotation)
    return (
        f"{rotation.connected} connected, {rotation.informed} informed, {rotation.lost} lost, "
        f"{rotation.returned} returned, {rotation.stuck} stuck, {rotation.written_off} written off, "
        f"{rotation.total} in all"
    )


def rotation_values(rotation: Rotation) -> dict[str, Any]:
    """A rotation as plain values."""
    return {
        "schema": ROTATION_SCHEMA,
        "id": rotation.id,
        "phase": rotation.phase,
        "outcome": rotation.outcome,
        "version": rotation.version,
        "deployment": rotation.deployment,
        "from_generation": rotation.from_generation,
        "to_generation": rotation.to_generation,
        "started_at": moment(rotation.started_at),
        "phase_at": moment(rotation.phase_at),
        "ended_at": moment(rotation.ended_at) or None,
        "actor": rotation.actor,
        "reason": rotation.reason,
        "counts": {
            "total": rotation.total,
            "connected": rotation.connected,
            "informed": rotation.informed,
            "lost": rotation.lost,
            "returned": rotation.returned,
            "stuck": rotation.stuck,
            "written_off": rotation.written_off,
        },
        "outage_seconds": {"median": rotation.outage_p50_seconds, "longest": rotation.outage_max_seconds},
        "gates": [{"test": gate.test, "met": gate.met, "why": gate.why} for gate in rotation.gates],
        "clients": [_client(one) for one in rotation.clients],
        "kind": rotation.kind or "disruptive",
    } | (overlap_values(rotation) if rotation.kind not in _ONE_CUT else {})


def waits_for_a_person(rotation: Rotation) -> bool:
    """Tell whether nothing moves before an operator does something: a hold, or a manual phase whose gates are met."""
    if rotation.kind != "overlap" or rotation.ended_at:
        return False
    return bool(rotation.held) or not rotation.next_step.startswith("wait")


def json_text(values: object) -> str:
    """Values as JSON for people and programs."""
    return json.dumps(values, indent=2, ensure_ascii=False)


def authorities_text(authorities: AuthorityList) -> str:
    """The CA generations, one a line."""
    rows = [
        [f"g{one.generation}", one.status, day(one.not_before), day(one.not_after), one.fingerprint[:16], one.subject]
        for one in authorities.authorities
    ]
    return table(["CA", "STATUS", "FROM", "UNTIL", "FINGERPRINT", "SUBJECT"], rows)


def blockers(plan: RotationPlan) -> Counter[str]:
    """How many checks came out how: ok, warn, fail."""
    return Counter(check.result for check in plan.checks)


def _client(one: RotationClient) -> dict[str, Any]:
    return {
        "name": one.name,
        "cluster": one.cluster,
        "kind": one.kind,
        "owner": one.owner,
        "route": one.route,
        "why": one.why,
        "state": one.state,
        "since": moment(one.since) or None,
        "lost_at": moment(one.lost_at) or None,
        "returned_at": moment(one.returned_at) or None,
        "last_error": one.last_error,
    }
