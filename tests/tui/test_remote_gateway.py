"""The gateway to a real agent: messages become frozen, harmless values, and silence becomes `Unreachable`."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from backend.client import errors as client_errors
from backend.client.contexts import Context
from backend.client.credential import CredentialFacts
from backend.client.operator import Operator
from backend.core.errors import NotFound, PlanChanged
from backend.core.fleet import FleetDelta
from backend.core.overlap_gates import OverlapSettings
from backend.core.plan import ActionKind
from backend.wire.mocdeck.v1 import alert_pb2, authority_pb2, fleet_pb2, operation_pb2
from tui import received, received_rotation
from tui.gateway import Unreachable
from tui.remote import RemoteGateway, file_stem
from tui.rotating import RotationKind, RotationMove

AT = 1_795_366_334
INSTANT = datetime.fromtimestamp(AT, UTC)
HOSTILE = "\x1b]0;owned\x07kms\u202e-007"


class ListedOperator:
    """An operator whose answers are given; it keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.closed = False

    @property
    def credential(self) -> CredentialFacts:
        return CredentialFacts(
            identity="ops-anna",
            agent="agent:55000",
            serial="5f",
            not_before=INSTANT,
            not_after=INSTANT,
            token_id="b2",
            token_expires_at=None,
        )

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        yield FleetDelta(change=since + 1, last=True)
        raise client_errors.Unreachable("the line is dead")

    async def close(self) -> None:
        self.closed = True

    def __getattr__(self, name: str) -> Any:
        async def answer(*args: Any, **options: Any) -> Any:
            self.asked.append((name, args, options))
            given = self.answers[name]
            if isinstance(given, Exception):
                raise given
            return given

        return answer


def gateway(tmp_path: Path, **answers: Any) -> tuple[RemoteGateway, ListedOperator]:
    operator = ListedOperator(**answers)
    context = Context(name="bonn", address="agent.example", cloudconfig=tmp_path / "cloudconfig")
    return RemoteGateway(cast(Operator, operator), context, tmp_path), operator


async def test_silence_becomes_unreachable_on_every_call(tmp_path: Path) -> None:
    names = ("describe", "plan", "operation", "operations", "plan_rotation", "rotation", "audit")
    away = client_errors.Unreachable("no answer from agent.example")
    remote, _ = gateway(tmp_path, **dict.fromkeys(names, away))
    calls = [
        remote.describe("a"),
        remote.plan(ActionKind.RENEW, ["a"]),
        remote.operation("1"),
        remote.operations(),
        remote.plan_rotation(),
        remote.rotation(),
        remote.events(),
    ]
    for call in calls:
        with pytest.raises(Unreachable, match=r"no answer from agent\.example"):
            await call


async def test_the_stream_ends_in_unreachable_after_what_it_brought(tmp_path: Path) -> None:
    remote, _ = gateway(tmp_path)
    brought = []
    with pytest.raises(Unreachable):  # noqa: PT012 - the stream raises where it ends
        async for delta in remote.watch(4):
            brought.append(delta.change)
    assert brought == [5]


async def test_a_refusal_stays_what_it_is(tmp_path: Path) -> None:
    remote, _ = gateway(tmp_path, start=PlanChanged("the facts have changed"))
    plan = received.plan_view(operation_pb2.Plan(id="p", action="RENEW", hash="ab"))
    with pytest.raises(PlanChanged, match="the facts have changed"):
        await remote.start(plan)


async def test_no_rotation_ever_is_none(tmp_path: Path) -> None:
    remote, _ = gateway(tmp_path, rotation=NotFound("never"))
    assert await remote.rotation() is None


async def test_a_start_repeats_the_plans_id_and_hash_and_says_who_asks(tmp_path: Path) -> None:
    answer = operation_pb2.Operation(id="o", action="REPAIR", state="running", started_at=AT, total=1, waiting=1)
    remote, operator = gateway(tmp_path, start=answer)
    plan = received.plan_view(operation_pb2.Plan(id="p", action="REPAIR", hash="ab" * 32))
    operation = await remote.start(plan)
    assert operator.asked == [("start", ("p", "ab" * 32), {"origin": "tui"})]
    assert operation.action is ActionKind.REPAIR
    assert operation.started_at == INSTANT
    assert operation.ended_at is None


async def test_a_move_carries_the_version_that_was_seen(tmp_path: Path) -> None:
    answer = authority_pb2.Rotation(id="r", phase="re-enrolling", version=8)
    remote, operator = gateway(tmp_path, move_rotation=answer)
    seen = received_rotation.rotation_view(authority_pb2.Rotation(id="r", phase="re-enrolling", version=7))
    await remote.move_rotation(seen, RotationMove.FINISH, written_off=["a"], reason="gone")
    name, args, options = operator.asked[0]
    assert (name, args) == ("move_rotation", ("r", 7, authority_pb2.FINISH))
    assert options == {"written_off": ["a"], "reason": "gone"}


@pytest.mark.parametrize("move", list(RotationMove))
async def test_every_move_of_the_screen_is_one_of_the_wire(tmp_path: Path, move: RotationMove) -> None:
    remote, operator = gateway(tmp_path, move_rotation=authority_pb2.Rotation(id="r"))
    await remote.move_rotation(received_rotation.rotation_view(authority_pb2.Rotation(id="r", version=3)), move)
    sent = operator.asked[0][1][2]
    assert authority_pb2.RotationMove.Name(sent) == move.value.upper().replace(" ", "_")


async def test_settings_go_with_a_plan_with_overlap_and_with_no_other(tmp_path: Path) -> None:
    settings = OverlapSettings(automatic=True, shadow_for=timedelta(days=2), stop_percent=0)
    answer = authority_pb2.RotationPlan(
        kind="overlap", automatic=True, shadow_seconds=172_800, stop_percent=0, by_cross=3, wants_approval=True
    )
    remote, operator = gateway(tmp_path, plan_rotation=answer)
    plan = await remote.plan_rotation(RotationKind.OVERLAP, settings)
    assert (plan.kind, plan.settings, plan.by_cross, plan.wants_approval) == (RotationKind.OVERLAP, settings, 3, True)
    assert operator.asked[0][2]["stop_percent"] == 0
    assert operator.asked[0][2]["shadow_for"] == timedelta(days=2)
    for kind in (RotationKind.DISRUPTIVE, RotationKind.COMPROMISE, RotationKind.REHEARSAL):
        remote, operator = gateway(tmp_path, plan_rotation=authority_pb2.RotationPlan(kind=kind.value))
        assert (await remote.plan_rotation(kind, settings)).kind is kind
        assert operator.asked == [("plan_rotation", (kind.value,), {})]


def test_what_a_rotation_says_of_itself_and_its_clients_is_inert() -> None:
    hostile = "\x1b]0;owned\x07evil"
    shown = received_rotation.rotation_view(
        authority_pb2.Rotation(
            kind="overlap",
            held=hostile,
            next_step=hostile,
            way_back=hostile,
            would_fail=[hostile],
            probes=[authority_pb2.ProbeCell(cell=hostile, expected=hostile, observed=hostile)],
            clients=[
                authority_pb2.RotationClient(name=hostile, careless=hostile, waived=hostile, would_fail_from=hostile)
            ],
        )
    )
    assert "\x1b" not in repr(shown).encode().decode("unicode_escape")
    assert shown.clients[0].level_at is None


def test_a_rotation_of_a_kind_that_is_not_known_here_is_named() -> None:
    with pytest.raises(received.AnswerBroken, match="unknown kind, sideways"):
        received_rotation.rotation_view(authority_pb2.Rotation(kind="sideways"))


async def test_a_login_file_goes_to_a_file_of_its_owner_only_and_nowhere_else(tmp_path: Path) -> None:
    yaml = "name: kms-007\ntoken: eyJhbGciOiJSUzI1NiJ9.secret\n"
    answer = operation_pb2.LoginFile(name="kms-007", yaml=yaml, token_expires_at=AT)
    remote, _ = gateway(tmp_path, take_login_file=answer)
    delivery = await remote.take_login_file("o", "kms-007")
    assert delivery.path.read_text() == yaml
    assert stat.S_IMODE(delivery.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(delivery.path.parent.stat().st_mode) == 0o700
    assert str(delivery.path) in delivery.instruction
    assert "secret" not in repr(delivery)
    assert delivery.token_expires_at == INSTANT


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".hidden", "x" * 300, HOSTILE])
async def test_a_clients_name_cannot_lead_the_file_elsewhere(tmp_path: Path, name: str) -> None:
    answer = operation_pb2.LoginFile(name=name, yaml="x")
    remote, _ = gateway(tmp_path, take_login_file=answer)
    delivery = await remote.take_login_file("o", name)
    assert delivery.path.parent == tmp_path / "login-files"
    assert delivery.path.is_file()


def test_two_names_that_need_cleaning_get_two_files() -> None:
    assert file_stem("a/b") != file_stem("a_b") != file_stem("a:b")
    assert file_stem("kms-007") == "kms-007"


def test_every_text_is_harmless_and_every_instant_aware() -> None:
    described = received.detail_view(
        fleet_pb2.Description(
            name=HOSTILE,
            owner=HOSTILE,
            created_at=AT,
            tags={HOSTILE: HOSTILE},
            roles=[HOSTILE],
            certificates=[fleet_pb2.CertificateRecord(serial=HOSTILE, not_after=AT, current=True, pem=f"A\n{HOSTILE}")],
            tokens=[fleet_pb2.TokenRecord(id=HOSTILE, expires_at=AT, state="current")],
            heartbeat=fleet_pb2.HeartbeatRecord(heard_at=AT, last_error=HOSTILE, skew=-7),
            history=[fleet_pb2.AuditRecord(index=1, at=AT, subject=HOSTILE, detail={"why": HOSTILE})],
        )
    )
    shown = repr(described)
    assert "\\x1b" not in shown
    assert "\\u202e" not in shown
    assert described.name.endswith("kms\ufffd-007")
    assert described.created_at == INSTANT
    assert described.revoked_at is None
    assert described.last_seen_at is None
    assert described.heartbeat is not None
    assert described.heartbeat.skew == timedelta(seconds=-7)
    assert described.certificates[0].pem.startswith("A\n")


def test_a_client_without_a_heartbeat_has_none() -> None:
    assert received.detail_view(fleet_pb2.Description(name="a")).heartbeat is None


def test_outages_are_none_until_somebody_has_returned() -> None:
    assert received_rotation.rotation_view(authority_pb2.Rotation(lost=3, total=3)).outage_max is None
    measured = received_rotation.rotation_view(
        authority_pb2.Rotation(returned=2, total=2, outage_p50_seconds=8, outage_max_seconds=95)
    )
    assert (measured.outage_p50, measured.outage_max) == (timedelta(seconds=8), timedelta(seconds=95))


def test_an_unknown_action_is_named() -> None:
    with pytest.raises(received.AnswerBroken, match="does not know"):
        received.plan_view(operation_pb2.Plan(id="p"))


async def test_the_connection_is_made_at_the_first_call_and_again_after_a_failure(tmp_path: Path) -> None:
    attempts: list[int] = []
    operator = ListedOperator(operations=[])

    async def connect() -> Operator:
        attempts.append(1)
        if len(attempts) == 1:
            raise client_errors.Unreachable("nobody is there")
        return cast(Operator, operator)

    context = Context(name="bonn", address="agent.example", cloudconfig=tmp_path / "cloudconfig")
    remote = RemoteGateway(connect, context, tmp_path)
    assert remote.connection.identity == ""
    assert remote.connection.address == "agent.example:55000"
    with pytest.raises(Unreachable):
        await remote.operations()
    assert await remote.operations() == []
    assert await remote.operations() == []
    assert len(attempts) == 2
    assert remote.connection.identity == "ops-anna"
    await remote.close()
    assert operator.closed


async def test_alerts_arrive_harmless_and_acknowledging_names_this_program(tmp_path: Path) -> None:
    answer = alert_pb2.AlertList(
        alerts=[
            alert_pb2.AlertRow(entity="client:7", name=HOSTILE, severity="expired", raised_at=AT, since_at=AT, told="")
        ],
        silences=[alert_pb2.AlertSilence(subject="client:7", name="kms", acknowledgement=True, until=AT)],
        sinks=[alert_pb2.AlertSink(name="pager", owed=3, failing_since_at=AT, last_error=HOSTILE)],
    )
    made = alert_pb2.AlertSilence(subject="client:7", name="kms", until=AT, ceiling="expired")
    remote, operator = gateway(tmp_path, alerts=answer, acknowledge_alert=made)
    found = await remote.alerts()
    assert "\x1b" not in found.alerts[0].name + found.sinks[0].last_error
    assert found.alerts[0].told_at is None
    assert [sink.failing_since for sink in found.failing] == [INSTANT]
    assert found.quiet_over(found.alerts[0]) == found.silences[0]
    assert (await remote.acknowledge("client:7", INSTANT, "spare part")).until == INSTANT
    assert operator.asked[-1] == (
        "acknowledge_alert",
        ("client:7", INSTANT),
        {"reason": "spare part", "origin": "tui"},
    )
