"""The operator's door over real sockets: errors with the agent's own words, and a credential that keeps itself."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import status_pb2

from backend.client import errors as client_errors
from backend.client.access_file import read_access_file
from backend.client.contexts import Context
from backend.client.login_file import read_login_file, write_login_file
from backend.client.operator import Operator
from backend.client.settings import RunnerSettings
from backend.client.statuses import find_refusal
from backend.clock import ManualClock
from backend.core import errors
from backend.core.limits import HEARTBEAT
from backend.wire.moc import common_pb2
from backend.wire.mocdeck.v1 import client_pb2


@pytest.fixture
def context(settings: RunnerSettings) -> Context:
    return Context(
        name="lab", address="127.0.0.1", cloudconfig=settings.access_file, port=settings.port,
        auth_port=settings.auth_port, login_file=settings.login_file,
    )  # fmt: skip


@pytest.fixture
async def operator(context: Context, clock: ManualClock) -> AsyncIterator[Operator]:
    async with await Operator.connect(context, clock=clock, rng=random.Random(1)) as opened:  # noqa: S311 - jitter
        yield opened


async def test_connecting_signs_in_once_and_calls_answer(operator: Operator, agent: Any, context: Context) -> None:
    assert agent.logins == 1
    assert (await operator.operation("op-1")).id == "op-1"
    facts = operator.credential
    assert (facts.identity, facts.token_id) == ("kms-1", "token-1")
    assert facts.serial == read_access_file(context.cloudconfig).serial_hex
    assert facts.agent == f"127.0.0.1:{context.port}"


async def test_a_second_program_uses_the_same_credential(
    operator: Operator, agent: Any, context: Context, clock: ManualClock
) -> None:
    async with await Operator.connect(context, clock=clock) as second:
        await second.operation("op-2")
        assert second.credential == operator.credential
    assert agent.logins == 1


async def test_a_watch_yields_cores_own_values(operator: Operator) -> None:
    chunks = [chunk async for chunk in operator.watch()]
    assert [(chunk.full, chunk.last, chunk.change) for chunk in chunks] == [(True, True, 7)]


async def test_a_refusal_keeps_class_and_sentence(operator: Operator, agent: Any) -> None:
    agent.refusal = errors.PlanChanged("client kms-2 was enrolled since; look at the plan again")
    with pytest.raises(errors.PlanChanged, match="kms-2 was enrolled"):
        await operator.operation("op-1")


async def test_the_operator_survives_a_ca_rotation_that_it_heard_of(
    operator: Operator, agent: Any, context: Context, clock: ManualClock
) -> None:
    old_bundle, old_tls = agent.bundle, (agent.data_tls, agent.login_tls)
    agent.rotate()
    new_tls = agent.data_tls, agent.login_tls
    agent.data_tls, agent.login_tls = old_tls
    agent.reply = client_pb2.BeatReply(epoch=2, bundle_pem=old_bundle + agent.bundle)
    await operator._session._beat()
    assert read_access_file(context.cloudconfig).trust_pem == old_bundle + agent.bundle
    agent.data_tls, agent.login_tls = new_tls
    operator._session._credential.link.drop()  # the agent closes old connections at the cutover
    assert (await operator.operation("op-1")).id == "op-1"
    assert agent.logins == 2


async def test_an_operator_that_missed_the_rotation_is_told_what_to_bring_and_returns_with_it(
    operator: Operator, agent: Any, context: Context
) -> None:
    agent.rotate()
    operator._session._credential.link.drop()
    with pytest.raises(client_errors.AgentUntrusted, match="login file"):
        await operator.operation("op-1")
    assert agent.logins == 1
    assert context.login_file is not None
    write_login_file(context.login_file, read_login_file(context.login_file).with_trust(agent.bundle))
    assert (await operator.operation("op-1")).id == "op-1"
    assert agent.logins == 2


async def test_a_refused_certificate_leads_to_one_sign_in_and_one_more_try(operator: Operator, agent: Any) -> None:
    await operator.operation("op-1")
    agent.refusal = errors.CertificateUntrusted("of a generation that is not trusted any more; sign in again")
    with pytest.raises(errors.CertificateUntrusted):
        await operator.operation("op-1")  # the sign-in is refused as well
    agent.refusal = None
    assert (await operator.operation("op-1")).id == "op-1"


async def test_an_agent_that_is_away_is_unreachable_and_found_again(operator: Operator, agent: Any) -> None:
    await operator.operation("op-1")
    await agent.stop()
    with pytest.raises(client_errors.Unreachable, match="cannot reach the agent"):
        await operator.operation("op-1")
    await agent.start(agent.port, agent.auth_port)
    assert (await operator.operation("op-1")).id == "op-1"


async def test_the_servers_name_is_the_address_unless_it_is_given(
    agent: Any, context: Context, clock: ManualClock
) -> None:
    wrong = replace(context, server_name="another.host")
    with pytest.raises(client_errors.AgentUntrusted, match=r"another\.host"):
        await Operator.connect(wrong, clock=clock)
    async with await Operator.connect(replace(context, server_name="localhost"), clock=clock) as opened:
        assert (await opened.operation("op-1")).id == "op-1"


async def test_without_files_the_operator_is_told_to_bring_a_login_file(
    context: Context, clock: ManualClock, tmp_path: Path, agent: Any
) -> None:
    nothing = replace(context, login_file=tmp_path / "gone.yaml")
    with pytest.raises(client_errors.NoCredential, match=r"gone\.yaml"):
        await Operator.connect(nothing, clock=clock)


async def test_a_certificate_past_its_end_is_called_expired(
    operator: Operator, agent: Any, clock: ManualClock, context: Context
) -> None:
    assert context.login_file is not None
    context.login_file.unlink()
    agent.rotate()  # so that the agent's TLS refuses the old leaf ...
    agent.login_tls = agent.data_tls
    held = read_access_file(context.cloudconfig)
    context.cloudconfig.write_bytes(
        context.cloudconfig.read_bytes().replace(_base64(held.trust_pem), _base64(held.trust_pem + agent.bundle))
    )  # ... and we accept its new certificate
    operator._session._credential.link.drop()
    with pytest.raises(client_errors.CertificateRefused):
        await operator.operation("op-1")
    clock.set(held.validity.not_after + timedelta(seconds=1))
    operator._session._credential.link.drop()
    with pytest.raises((errors.CertificateExpired, client_errors.NoCredential)):
        await operator.operation("op-1")


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def refused(message: str, code: int, reason: str, *extra: tuple[str, str]) -> grpc.aio.AioRpcError:
    detail = any_pb2.Any()
    detail.Pack(common_pb2.Error(Message=message, Code=code, Parameters=reason))
    status = status_pb2.Status(code=2, message=message, details=[detail]).SerializeToString()
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", status), *extra)
    return grpc.aio.AioRpcError(grpc.StatusCode.UNKNOWN, grpc.aio.Metadata(), trailers, message)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (43, "certificate_untrusted", errors.CertificateUntrusted),
        (24, "plan_changed", errors.PlanChanged),
        (24, "illegal_transition", errors.IllegalTransition),
        (33, "token_rejected", errors.TokenRejected),
        (29, "", errors.CertificateExpired),
        (30, "", errors.Revoked),
        (14, "a reason from the future", errors.OldVersion),
        (11, "failed", errors.AgentError),
        (999, "", errors.AgentError),
    ],
)
def test_a_refusals_class_comes_from_its_reason_and_else_from_mocs_code(
    code: int, reason: str, kind: type[errors.AgentError]
) -> None:
    found = find_refusal(refused("what happened\x1b[31m; do this", code, reason))
    assert type(found) is kind
    assert "what happened" in str(found)
    assert "\x1b" not in str(found)


def test_a_fence_brings_its_retry_hint() -> None:
    found = find_refusal(refused("fenced", 51, "fenced", ("retry-after", "90")))
    assert isinstance(found, errors.Fenced)
    assert found.retry_after == timedelta(seconds=90)


def test_a_limit_brings_its_sentence_and_its_retry_hint() -> None:
    found = find_refusal(refused("too many at once; retry in 9 s", 51, "limit_reached", ("retry-after", "9")))
    assert isinstance(found, errors.LimitReached)
    assert str(found) == "too many at once; retry in 9 s"
    assert found.retry_after == timedelta(seconds=9)


def test_details_that_cannot_be_read_are_no_refusal() -> None:
    broken = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff"))
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNKNOWN, grpc.aio.Metadata(), broken, "x")
    assert find_refusal(error) is None


async def test_a_wanted_heartbeat_does_not_wait_for_its_turn(
    operator: Operator, agent: Any, clock: ManualClock
) -> None:
    async with asyncio.timeout(10):
        while not agent.beats:  # noqa: ASYNC110 - the agent under test is no event source
            await asyncio.sleep(0.01)
        operator._session.beat_soon()
        while len(agent.beats) < 2:
            clock.advance(timedelta(milliseconds=100))  # a second in all, far below the half minute of a turn
            await asyncio.sleep(0.01)
    assert clock.monotonic() < HEARTBEAT.total_seconds() / 2
