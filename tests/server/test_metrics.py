"""Metrics as Prometheus reads them: from a running agent, on a listener of their own, and in bounded time."""

from __future__ import annotations

import asyncio
import http.client
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from backend.core.facts import Severity, State
from backend.core.model import Secret
from backend.pki import keys, requests
from backend.server.app import Agent, Listening, MetricsAddress
from backend.server.metrics import ONE_HOT_CLIENTS, families
from backend.server.ports import PortUnavailable
from backend.server.survey import ClientFigures, Snapshot
from backend.server.telemetry import Round
from backend.service.ticks import TickReport
from backend.store.port import Transaction
from backend.store.records import OperationRow, TargetRow
from backend.wire.convert import decoded, encoded, login_message
from backend.wire.methods import get_method
from backend.wire.moc import certificate_pb2, common_pb2, identity_pb2

PASSPHRASE = Secret("correct horse battery staple")


@dataclass(kw_only=True)
class Running:
    """A started agent with metrics, and a signed-in administrator."""

    agent: Agent
    directory: Path
    listening: Listening
    roots: bytes
    key: bytes = b""
    leaf: bytes = b""

    async def sign_in(self, name: str, token: str) -> bytes:
        key = keys.generate_key(keys.KeyKind.P256)
        target = f"127.0.0.1:{self.listening.auth_port}"
        async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(self.roots)) as channel:
            method = get_method("AuthenticationAgent", "Login")
            call = channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
            answer: Any = await call(
                login_message(name, requests.make_csr(key, name)), metadata=(("authorization", token),)
            )
        self.key, self.leaf = keys.private_key_pem(key), decoded(answer.Token, "leaf").encode()
        return self.leaf

    async def create(self, name: str) -> str:
        credentials = grpc.ssl_channel_credentials(self.roots, self.key, self.leaf)
        async with grpc.aio.secure_channel(f"127.0.0.1:{self.listening.port}", credentials) as channel:
            method = get_method("IdentityAgent", "Invoke")
            call = channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
            entry = identity_pb2.Identity(name=name, clientType=common_pb2.CONTROLPLANE)
            answer: Any = await call(identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST))
        token: str = answer.Identitys[0].token
        return token


def fetch(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


async def scrape(running: Running) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by name and labels, through Prometheus' own parser."""
    text = await asyncio.to_thread(fetch, running.listening.metrics_url)
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            series = found.setdefault(sample.name, {})
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in series, f"{sample.name} has {labels} twice"
            series[labels] = sample.value
    return found


def value(found: dict[str, Any], name: str, **labels: str) -> float:
    matching = [sample for key, sample in found[name].items() if labels.items() <= dict(key).items()]
    assert len(matching) == 1, (name, labels, found[name])
    return float(matching[0])


@pytest.fixture
async def running(ready: Path, tmp_path: Path) -> AsyncIterator[Running]:
    directory = tmp_path / "agent"
    shutil.copytree(ready, directory)
    agent = Agent(directory, PASSPHRASE)
    listening = await agent.start(
        host="127.0.0.1", port=0, auth_port=0, metrics=MetricsAddress(host="127.0.0.1", port=0)
    )
    login = yaml.safe_load((directory / "admin" / "login.yaml").read_text())
    made = Running(
        agent=agent, directory=directory, listening=listening, roots=decoded(login["certificate"], "roots").encode()
    )
    await made.sign_in("admin", login["token"])
    yield made
    await agent.stop()


async def test_a_scrape_tells_dates_states_and_what_was_done(running: Running) -> None:
    token = await running.create('kms "1" {x="y"}')
    with pytest.raises(grpc.aio.AioRpcError):
        await running.sign_in("admin", "no token")
    running.agent._alerting._survey._taken = float("-inf")  # the agent's own look at its start is older than this
    found = await scrape(running)
    admin = {"identity": "admin"}
    now = value(found, "mocdeck_agent_clock_timestamp_seconds")
    ends = value(found, "mocdeck_identity_certificate_not_after_timestamp_seconds", **admin)
    assert 89 * 86_400 < ends - now <= 90 * 86_400
    assert value(found, "mocdeck_identity_token_expiry_timestamp_seconds", **admin) > now
    assert value(found, "mocdeck_identity_severity_rank", **admin) == Severity.OK
    assert value(found, "mocdeck_identity_state", state=State.OK.value, **admin) == 1
    assert value(found, "mocdeck_identity_state", state=State.LATENT.value, **admin) == 0
    odd = {"identity": 'kms "1" {x="y"}'}
    assert value(found, "mocdeck_identity_severity_rank", **odd) == Severity.WARNING
    dated = found["mocdeck_identity_certificate_not_after_timestamp_seconds"]
    assert len(dated) == 1, "no certificate, no instant"
    assert value(found, "mocdeck_identities") == 2
    assert value(found, "mocdeck_identities_by_state", state=State.NEVER_SIGNED_IN.value) == 1
    assert value(found, "mocdeck_identities_by_severity", severity="ok") == 1
    assert value(found, "mocdeck_sign_ins_total") == 1
    assert value(found, "mocdeck_refusals_total", reason="token_rejected", method="Login") == 1
    assert value(found, "mocdeck_calls_total", service="IdentityAgent", method="Invoke") == 1
    assert value(found, "mocdeck_ca_status", generation="1", status="issuing") == 1
    assert value(found, "mocdeck_ca_not_after_timestamp_seconds", generation="1") > now + 300 * 86_400
    assert value(found, "mocdeck_bundle_epoch") == 1
    assert value(found, "mocdeck_agent_clock_doubted") == 0
    assert value(found, "mocdeck_core_commit_seconds_count") > 0
    assert value(found, "mocdeck_agent_info", version=__import__("backend").__version__) == 1
    assert value(found, "mocdeck_identity_stranded_from_timestamp_seconds", **admin) > now
    assert value(found, "mocdeck_ca_cliff_timestamp_seconds", generation="1") > now
    assert value(found, "mocdeck_identities_by_token_rotation", by="flag") == 1
    text = await asyncio.to_thread(fetch, running.listening.metrics_url)
    assert token not in text
    assert "BEGIN" not in text


async def test_two_scrapes_within_five_seconds_read_the_core_once(running: Running) -> None:
    survey = running.agent._alerting._survey
    await scrape(running)
    before = survey.reads
    await asyncio.gather(*(scrape(running) for _ in range(4)))
    assert survey.reads <= before + 1


async def test_metrics_are_on_their_own_port_and_nowhere_else(running: Running) -> None:
    listening = running.listening
    assert listening.metrics_url.startswith("http://127.0.0.1:")
    assert str(listening.port) not in listening.metrics_url

    def ask(port: int, method: str, path: str, tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
        made = (
            http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=tls)
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        )
        try:
            made.request(method, path)
            answer = made.getresponse()
            return answer.status, answer.read()
        finally:
            made.close()

    own = int(listening.metrics_url.split(":")[2].split("/")[0])
    assert (await asyncio.to_thread(ask, own, "GET", "/"))[0] == 404
    assert (await asyncio.to_thread(ask, own, "POST", "/metrics"))[0] == 405
    assert (await asyncio.to_thread(ask, own, "GET", "/metrics?name[]=mocdeck_identities"))[0] == 200
    tls = ssl.create_default_context(cadata=running.roots.decode())
    for port in (listening.port, listening.auth_port):
        with pytest.raises((OSError, http.client.HTTPException)):
            await asyncio.to_thread(ask, port, "GET", "/metrics", tls)


async def test_an_agent_that_was_not_asked_serves_none(ready: Path, tmp_path: Path) -> None:
    directory = tmp_path / "agent"
    shutil.copytree(ready, directory)
    agent = Agent(directory, PASSPHRASE)
    listening = await agent.start(host="127.0.0.1", port=0, auth_port=0)
    assert listening.metrics_url == ""
    await agent.stop()


async def test_a_taken_metrics_port_is_told_and_leaves_nothing_behind(
    running: Running, ready: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "second"
    shutil.copytree(ready, directory)
    taken = MetricsAddress(host="127.0.0.1", port=int(running.listening.metrics_url.split(":")[2].split("/")[0]))
    with pytest.raises(PortUnavailable, match="--metrics-port"):
        await Agent(directory, PASSPHRASE).start(host="127.0.0.1", port=0, auth_port=0, metrics=taken)
    again = Agent(directory, PASSPHRASE)
    await again.start(host="127.0.0.1", port=0, auth_port=0)
    await again.stop()


def figures(number: int) -> ClientFigures:
    return ClientFigures(
        name=f"client-{number}",
        kind="KMS",
        cluster="wl-1",
        certificate_not_after=2_000_000_000,
        effective_not_after=2_000_000_000,
        token_expires_at=2_000_000_000,
        heartbeat_at=1_900_000_000,
        last_seen_at=1_900_000_000,
        sends_heartbeats=True,
        skew=-3,
        state=State.OK,
        severity=Severity.OK,
        overlays=frozenset(),
    )


def snapshot(count: int) -> Snapshot:
    from backend.core.delta import EPOCH

    return Snapshot(
        now=EPOCH,
        clients=[figures(number) for number in range(count)],
        findings=(),
        authorities=(),
        bundle_epoch=1,
        rotation_phase="",
        running=[("renew", 3), ("renew", 2)],
        sinks=(),
        owed={},
        alerts={(Severity.WARNING, True): 1},
        silences={},
        doubt="",
        held="",
    )


@pytest.mark.parametrize(("count", "is_hot"), [(ONE_HOT_CLIENTS, True), (ONE_HOT_CLIENTS + 1, False)])
def test_states_are_one_hot_while_the_fleet_is_small(count: int, is_hot: bool) -> None:
    names = {family.name for family in families(snapshot(count))}
    assert ("mocdeck_identity_state" in names) is is_hot


def test_ten_thousand_clients_cost_a_handful_of_series_each() -> None:
    samples = sum(len(family.samples) for family in families(snapshot(10_000)))
    assert samples < 8 * 10_000


def test_remaining_targets_add_up_over_operations_of_one_action() -> None:
    found = {family.name: family.samples for family in families(snapshot(1))}
    assert [sample.value for sample in found["mocdeck_operations_running"]] == [2]
    assert [sample.value for sample in found["mocdeck_operation_targets_remaining"]] == [5]


async def test_renewals_and_ended_operations_are_counted(running: Running) -> None:
    csr = requests.make_csr(keys.generate_key(keys.KeyKind.P256), "admin")
    order = certificate_pb2.CertificateSigningRequest(
        name="admin", csr=csr, oldCertificate=encoded(running.leaf.decode())
    )
    credentials = grpc.ssl_channel_credentials(running.roots, running.key, running.leaf)
    async with grpc.aio.secure_channel(f"127.0.0.1:{running.listening.port}", credentials) as channel:
        method = get_method("CertificateAgent", "Renew")
        call = channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        await call(certificate_pb2.CSRRequest(CSRs=[order]))
        method = get_method("IdentityAgent", "OperateCertificates")
        call = channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        verb = common_pb2.IdentityCertificate_Renew
        await call(identity_pb2.IdentityCertificateRequest(IdentityName="admin", CSR=[order], OperationType=verb))
    telemetry = running.agent._telemetry
    assert telemetry is not None
    report = TickReport(
        tokens_begun=0,
        operations_changed=("op-1",),
        rotation_moved="",
        swept=(),
        doubt="",
        errors=(("tokens", "disk"),),
    )

    def end(tx: Transaction) -> Round:
        tx.operations.add(OPERATION, [replace(TARGET, position=number) for number in range(3)])
        return telemetry.look_round(tx, report)

    telemetry.ticked(report, await running.agent._core.submit(end))
    found = await scrape(running)
    assert value(found, "mocdeck_renewals_total") == 2
    assert value(found, "mocdeck_operations_total", action="renew", result="failed") == 1
    assert value(found, "mocdeck_operation_targets_total", action="renew", result="failed") == 3
    assert value(found, "mocdeck_agent_tick_failures_total", part="tokens") == 1


BORN = datetime(2026, 3, 1, tzinfo=UTC)
OPERATION = OperationRow(
    id="op-1",
    plan_id="plan-1",
    action="renew",
    state="failed",
    actor="admin",
    origin="cli",
    parallel=1,
    reason="",
    overlap_seconds=-1,
    started_at=BORN,
    ended_at=BORN,
)
TARGET = TargetRow(
    operation_id="op-1", position=0, identity_number=1, name="kms-1", route="heartbeat", state="failed", ended_at=BORN
)
