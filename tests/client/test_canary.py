"""A client at the canary: it goes when it is asked, beside its heartbeats, and says with the next one how it was."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.client import canary
from backend.client.canary import CanaryRounds, make_round
from backend.client.runner import Runner
from backend.clock import ManualClock
from backend.core.canary import CanaryKind, CanaryTask
from backend.wire.convert.canary import report_of, task_message
from backend.wire.mocdeck.v1 import client_pb2

MINUTE = timedelta(minutes=1)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody answers, held so that nobody else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def task(port: int) -> CanaryTask:
    return CanaryTask(rotation_id="r-1", port=port, nonce="0f" * 32)


def ended(rounds: CanaryRounds) -> None:
    assert rounds._round is not None
    rounds._round.join(10)
    assert not rounds.is_under_way


async def test_a_task_is_carried_out_and_reported_with_the_next_heartbeat_until_no_more_is_asked(
    runner: Runner, agent: Any, clock: ManualClock, closed_port: int
) -> None:
    await runner.step()
    assert not agent.beats[-1].HasField("canary_report")
    agent.reply = client_pb2.BeatReply(canary_task=task_message(task(closed_port)))
    clock.advance(MINUTE)
    await runner.step()
    ended(runner.credential.canary)
    clock.advance(MINUTE)
    await runner.step()
    report = report_of(agent.beats[-1].canary_report)
    assert report.rotation_id == "r-1"
    assert {result.kind for result in report.results} == set(CanaryKind)
    assert {result.failure for result in report.results} == {"connection refused"}
    ended(runner.credential.canary)
    agent.reply = client_pb2.BeatReply()
    for _ in range(2):
        clock.advance(MINUTE)
        await runner.step()
    assert not agent.beats[-1].HasField("canary_report")


async def test_a_task_that_is_not_understood_is_none(runner: Runner, agent: Any, clock: ManualClock) -> None:
    await runner.step()
    agent.reply = client_pb2.BeatReply(canary_task=client_pb2.CanaryTask(rotation_id="r", port=1, nonce="a b"))
    clock.advance(MINUTE)
    await runner.step()
    assert not runner.credential.canary.is_under_way
    assert runner.credential.canary.report is None


async def test_one_round_at_a_time_and_a_deaf_port_holds_nothing_up(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "SECONDS", 0.2)
    await runner.step()
    access = runner.credential.material.access
    assert access is not None
    rounds = CanaryRounds()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        rounds.begin(task(deaf.getsockname()[1]), "127.0.0.1", access)
        first = rounds._round
        rounds.begin(task(1), "127.0.0.1", access)
        assert rounds._round is first
        ended(rounds)
    assert rounds.report is not None
    assert {result.failure for result in rounds.report.results} == {"no answer in time"}
    rounds.forget()
    assert rounds.report is None


async def test_files_that_cannot_be_used_are_said_instead_of_dialling(runner: Runner, closed_port: int) -> None:
    await runner.step()
    access = runner.credential.material.access
    assert access is not None
    broken = replace(
        task(closed_port), rehearsal_root_pem="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
    )
    report = make_round(broken, "127.0.0.1", access)
    assert [result.kind for result in report.results] == [CanaryKind.TRUST]
    assert "cannot be used for TLS" in report.results[0].failure
    assert not report.is_careful
