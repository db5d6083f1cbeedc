"""The long-running client against real sockets: it signs in, renews, obeys, follows a CA rotation and never ends."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.client.access_file import previous_path, read_access_file
from backend.client.login_file import read_login_file, write_login_file
from backend.client.record import read_record, record_path
from backend.client.runner import Runner
from backend.client.settings import RunnerSettings
from backend.clock import ManualClock
from backend.core.errors import AccessDenied, Fenced, Revoked, TokenRejected
from backend.core.renewal import renewal_slot
from backend.pki import keys, tokens, trust
from backend.wire.mocdeck.v1 import client_pb2

MINUTE = timedelta(minutes=1)


def order(kind: client_pb2.OrderKind, number: int = 1) -> client_pb2.BeatReply:
    return client_pb2.BeatReply(order=client_pb2.Order(id=f"order-{number}", kind=kind))


async def settle(runner: Runner, clock: ManualClock, passes: int = 3) -> None:
    for _ in range(passes):
        await runner.step()
        clock.advance(timedelta(seconds=1))


async def test_a_client_with_a_login_file_signs_in_and_says_that_it_lives(
    runner: Runner, agent: Any, settings: RunnerSettings
) -> None:
    await runner.step()
    access = read_access_file(settings.access_file)
    assert agent.logins == 1
    assert agent.authorizations[0] == agent.token.reveal()  # the bare token, no "Bearer"
    assert access.identity_name == "kms-1"
    assert settings.access_file.stat().st_mode & 0o777 == 0o600
    assert agent.beats[-1].serial == access.serial_hex
    assert agent.beats[-1].loop_alive
    assert agent.beats[-1].token_id == "token-1"
    assert agent.beats[-1].can_store_token
    status = read_record(record_path(settings.access_file)).status
    assert (status.state, status.serial, status.last_error) == ("working", access.serial_hex, "")


async def test_it_renews_in_its_slot_with_a_new_key_and_an_empty_authorization(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    old = read_access_file(settings.access_file)
    due = renewal_slot(old.validity, old.serial).renew_at - clock.now()
    agent.reply = order(client_pb2.RENEW_NOW)  # the slot is weeks away, and TLS reads the machine's clock
    assert due > timedelta(days=40)
    clock.advance(MINUTE)
    await settle(runner, clock)
    new = read_access_file(settings.access_file)
    assert agent.renewals == 1
    assert "" in agent.authorizations
    assert new.serial != old.serial
    assert len(set(agent.key_digests)) == 2
    assert agent.beats[-1].serial == new.serial_hex
    assert agent.beats[-1].done_order == "order-1"
    assert not previous_path(settings.access_file).exists()  # the new one was used, so the old one is gone


async def test_an_order_is_obeyed_once_however_often_it_is_repeated(
    runner: Runner, agent: Any, clock: ManualClock
) -> None:
    agent.reply = order(client_pb2.RENEW_NOW)
    for _ in range(6):
        await settle(runner, clock)
        clock.advance(MINUTE)
    assert agent.renewals == 1


async def test_an_agent_that_orders_without_end_is_obeyed_six_times_in_ten_minutes(
    runner: Runner, agent: Any, clock: ManualClock
) -> None:
    for number in range(12):
        agent.reply = order(client_pb2.RENEW_NOW, number)
        await settle(runner, clock)
        clock.advance(timedelta(seconds=34))
    assert agent.renewals <= 6
    assert "orders" in agent.beats[-1].last_error


async def test_a_fresh_token_is_written_to_the_login_file_and_used(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    fresh = agent.mint()
    agent.reply = order(client_pb2.TAKE_TOKEN)
    agent.reply.login_token = fresh.reveal()
    clock.advance(MINUTE)
    await settle(runner, clock)
    assert settings.login_file is not None
    assert read_login_file(settings.login_file).token.reveal() == fresh.reveal()
    assert agent.logins == 2
    assert (agent.beats[-1].token_id, agent.beats[-1].done_order) == ("token-2", "order-1")


@contextmanager
def full_disk() -> Iterator[None]:
    """Writes of this process fail with EFBIG, by the kernel's own limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_every_heartbeat_says_why_a_token_was_not_stored_until_one_is(
    runner: Runner, agent: Any, clock: ManualClock
) -> None:
    await runner.step()
    agent.reply = order(client_pb2.TAKE_TOKEN)
    agent.reply.login_token = agent.mint().reveal()
    with full_disk():
        clock.advance(timedelta(seconds=34))
        await settle(runner, clock)
        agent.reply = client_pb2.BeatReply()  # agents pause between two tries
        for _ in range(2):
            clock.advance(timedelta(seconds=34))
            await settle(runner, clock)
    assert "the fresh token could not be stored" in agent.beats[-1].last_error
    assert os.strerror(errno.EFBIG) in agent.beats[-1].last_error
    agent.reply = order(client_pb2.TAKE_TOKEN)
    agent.reply.login_token = agent.mint().reveal()
    clock.advance(timedelta(seconds=34))
    await settle(runner, clock)
    assert (agent.beats[-1].last_error, agent.beats[-1].done_order) == ("", "order-1")


async def test_a_stored_token_is_confirmed_at_once_and_not_an_interval_later(
    runner: Runner, agent: Any, clock: ManualClock
) -> None:
    await runner.step()
    clock.advance(MINUTE)
    agent.reply = order(client_pb2.TAKE_TOKEN)
    agent.reply.login_token = agent.mint().reveal()
    await runner.step()
    agent.reply = client_pb2.BeatReply()
    clock.advance(timedelta(seconds=1))
    await runner.step()
    assert agent.beats[-1].done_order == "order-1"


async def test_a_changed_login_file_leads_to_a_sign_in_and_an_unchanged_one_does_not(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    assert settings.login_file is not None
    await settle(runner, clock)
    os.utime(settings.login_file)
    await settle(runner, clock)
    assert agent.logins == 1
    login = read_login_file(settings.login_file)
    write_login_file(settings.login_file, login.with_token(agent.mint()))
    await settle(runner, clock)
    assert agent.logins == 2


async def test_a_restart_signs_in_with_a_file_that_was_brought_meanwhile_and_otherwise_goes_on(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    assert settings.login_file is not None
    await runner.step()
    again = Runner(settings, clock, rng=random.Random(2))  # noqa: S311 - jitter
    await again.step()
    assert agent.logins == 1
    await again.credential.close()
    write_login_file(settings.login_file, read_login_file(settings.login_file).with_token(agent.mint()))
    third = Runner(settings, clock, rng=random.Random(3))  # noqa: S311 - jitter
    await third.step()
    assert agent.logins == 2
    await third.credential.close()


async def test_a_client_that_got_the_new_roots_returns_by_itself_after_the_cutover(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    old_bundle = agent.bundle
    old_tls = agent.data_tls, agent.login_tls
    agent.rotate()
    new_tls = agent.data_tls, agent.login_tls
    agent.data_tls, agent.login_tls = old_tls
    agent.reply = client_pb2.BeatReply(epoch=2, bundle_pem=old_bundle + agent.bundle)
    clock.advance(MINUTE)
    await settle(runner, clock)
    assert agent.beats[-1].epoch == 2
    assert settings.login_file is not None
    assert read_login_file(settings.login_file).trust_pem == old_bundle + agent.bundle
    assert agent.logins == 1  # our own writing is no news

    agent.data_tls, agent.login_tls = new_tls  # the cutover
    agent.reply = client_pb2.BeatReply(epoch=3, bundle_pem=agent.bundle)
    runner.credential.link.drop()
    clock.advance(timedelta(minutes=2))
    await settle(runner, clock)
    assert agent.logins == 2
    roots = trust.split_bundle(agent.bundle)
    leaf = trust.split_bundle(read_access_file(settings.access_file).certificate_pem)[0]
    trust.verify_chain(leaf, roots, clock.now())
    await settle(runner, clock)
    assert read_access_file(settings.access_file).trust_pem == agent.bundle


async def test_a_client_without_the_new_roots_waits_for_a_login_file_and_returns_with_it(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    assert settings.login_file is not None
    await runner.step()
    agent.rotate()
    runner.credential.link.drop()
    clock.advance(MINUTE)
    await settle(runner, clock)
    status = read_record(record_path(settings.access_file)).status
    assert status.state == "waiting for a login file"
    assert "not accepted" in status.last_error
    assert agent.logins == 1  # the token was not shown to an agent that cannot be verified
    write_login_file(settings.login_file, read_login_file(settings.login_file).with_trust(agent.bundle))
    await settle(runner, clock)
    assert agent.logins == 2


async def test_a_lost_renewal_answer_is_asked_for_again_with_the_same_key(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    held = read_access_file(settings.access_file)
    agent.reply, agent.lost_answers = order(client_pb2.RENEW_NOW), 1
    clock.advance(MINUTE)
    await settle(runner, clock, 4)
    assert read_access_file(settings.access_file) == held
    clock.advance(MINUTE)
    await settle(runner, clock)
    assert agent.renewals == 1
    assert agent.key_digests[-1] == agent.key_digests[-2] != agent.key_digests[0]


async def test_the_pair_before_is_used_again_when_the_agent_refuses_the_fresh_one(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    held = read_access_file(settings.access_file)
    await runner.credential.renew()
    assert previous_path(settings.access_file).exists()
    agent.refusal = Revoked("this certificate was revoked")
    clock.advance(MINUTE)
    await runner.step()
    assert read_access_file(settings.access_file) == held
    agent.refusal = None
    clock.advance(timedelta(minutes=2))
    await settle(runner, clock)
    assert agent.beats[-1].serial == held.serial_hex


async def test_retries_go_on_for_days_and_never_in_a_storm(
    agent: Any, runner: Runner, clock: ManualClock, settings: RunnerSettings
) -> None:
    agent.refusal = Fenced(timedelta(seconds=40))
    agent.token = tokens.mint(_rsa(), "kms-1", clock.now(), timedelta(days=400), "other")
    for _ in range(60):
        await runner.step()
        clock.advance(timedelta(hours=2))
    tries = len([sent for sent in agent.authorizations if sent])
    assert 50 <= tries <= 61
    assert read_record(record_path(settings.access_file)).status.state in ("retrying", "waiting for a login file")


async def test_an_agent_that_is_away_is_tried_again_until_it_is_back(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    await agent.stop()
    for _ in range(5):
        clock.advance(timedelta(minutes=3))
        await runner.step()
    status = read_record(record_path(settings.access_file)).status
    assert status.state == "agent away"
    assert "cannot reach the agent" in status.last_error
    await agent.start(agent.port, agent.auth_port)
    heard = len(agent.beats)
    clock.advance(timedelta(minutes=3))
    await settle(runner, clock)
    assert len(agent.beats) > heard


async def test_a_jump_of_the_clock_asks_the_agent_before_anything_is_decided_from_dates(
    runner: Runner, agent: Any, clock: ManualClock
) -> None:
    await settle(runner, clock)
    heard, true_now = len(agent.beats), clock.now()
    agent_clock = ManualClock(true_now)
    agent.clock = agent_clock
    clock.set(true_now + timedelta(days=400))  # past the certificate's end, says the wrong clock
    await runner.step()
    assert len(agent.beats) == heard + 1
    assert "jumped" in agent.beats[-1].last_error
    await settle(runner, clock)
    assert (agent.logins, agent.renewals) == (1, 0)


async def test_a_refused_token_rests_for_an_hour_and_no_longer_when_the_clock_falls_back(
    runner: Runner, clock: ManualClock
) -> None:
    await runner.step()
    credential = runner.credential
    assert credential.material.login is not None
    credential.note_failure(TokenRejected(), token=credential.material.login.token)
    clock.advance(timedelta(seconds=3599))
    assert credential.holding().token_refused
    clock.advance(timedelta(seconds=1))
    assert not credential.holding().token_refused
    credential.note_failure(TokenRejected(), token=credential.material.login.token)
    clock.set(clock.now() - timedelta(days=400))
    assert not credential.holding().token_refused


async def test_a_broken_pass_is_counted_reported_and_survived(
    runner: Runner, agent: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await runner.guarded_step()
    clock.advance(MINUTE)
    with monkeypatch.context() as patch:
        patch.setattr("backend.client.runner.decide", lambda *_: 1 / 0)
        await runner.guarded_step()
    assert runner.crashes == 1
    assert (agent.beats[-1].loop_alive, agent.beats[-1].renews_itself) == (False, True)
    assert "ZeroDivisionError" in agent.beats[-1].last_error
    clock.advance(MINUTE)
    await runner.guarded_step()
    assert runner.crashes == 0
    clock.advance(MINUTE)
    await runner.guarded_step()
    assert agent.beats[-1].loop_alive
    assert agent.beats[-1].last_error == ""


@pytest.mark.parametrize("garbage", [b"", b"\0" * 200, b"{", b'{"ClientKey": 5}', b"\xff\xfe", b"[]"])
async def test_a_torn_cloudconfig_is_set_aside_and_the_loop_lives_on(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings, garbage: bytes
) -> None:
    await runner.step()
    held = read_access_file(settings.access_file)
    settings.access_file.write_bytes(garbage)
    await settle(runner, clock)
    assert read_access_file(settings.access_file) == held
    aside = list(settings.access_file.parent.glob("cloudconfig.broken-*"))
    assert [path.read_bytes() for path in aside] == [garbage]
    assert agent.logins == 1


async def test_a_deleted_cloudconfig_means_sign_in_again(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    await runner.step()
    settings.access_file.unlink()
    await settle(runner, clock)
    assert agent.logins == 2
    assert settings.access_file.exists()


async def test_a_torn_login_file_is_reported_and_left_alone(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    assert settings.login_file is not None
    await runner.step()
    settings.login_file.write_bytes(b"name: [")
    clock.advance(MINUTE)
    await runner.step()
    assert settings.login_file.read_bytes() == b"name: ["
    assert "login.yaml" in agent.beats[-1].last_error
    assert (agent.logins, agent.beats[-1].loop_alive) == (1, True)


async def test_an_rsa_client_writes_keys_that_go_programs_read(
    settings: RunnerSettings, clock: ManualClock, agent: Any, tmp_path: Path
) -> None:
    rsa = RunnerSettings(
        access_file=tmp_path / "rsa" / "cloudconfig", login_file=settings.login_file, port=agent.port,
        auth_port=agent.auth_port, key_kind=keys.KeyKind.RSA2048,
    )  # fmt: skip
    client = Runner(rsa, clock, rng=random.Random(4))  # noqa: S311 - jitter
    await client.step()
    assert "BEGIN RSA PRIVATE KEY" in read_access_file(rsa.access_file).key_pem.reveal()
    await client.credential.close()


async def test_a_refused_call_counts_and_says_why(runner: Runner, agent: Any, clock: ManualClock) -> None:
    await runner.step()
    agent.refusal = AccessDenied("kms-1 may not beat here; ask for the right")
    clock.advance(MINUTE)
    await runner.step()
    agent.refusal = None
    clock.advance(timedelta(minutes=3))
    await settle(runner, clock)
    assert agent.logins == 1
    assert "kms-1 may not beat here" in agent.beats[-1].last_error or agent.beats[-2].last_error


class EagerClock(ManualClock):
    """Whoever sleeps has slept at once; `rested` is set at the tenth time."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.rested = asyncio.Event()
        self._times = 0

    async def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))
        self._times += 1
        if self._times == 10:
            self.rested.set()
        await asyncio.sleep(0)


async def test_the_program_runs_until_it_is_cancelled(settings: RunnerSettings, clock: ManualClock, agent: Any) -> None:
    eager = EagerClock(clock.now())
    task = asyncio.create_task(Runner(settings, eager, rng=random.Random(5)).run())  # noqa: S311 - jitter
    await eager.rested.wait()
    assert not task.done()
    assert len(agent.beats) >= 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def _rsa() -> Any:
    return keys.generate_key(keys.KeyKind.RSA2048)


async def test_a_client_without_its_login_file_still_knows_where_its_agent_is(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    assert settings.login_file is not None
    await runner.step()
    settings.login_file.unlink()
    again = Runner(settings, clock, rng=random.Random(6))  # noqa: S311 - jitter
    await again.step()
    assert agent.beats[-1].token_id == ""
    assert not agent.beats[-1].can_store_token
    await again.credential.close()
