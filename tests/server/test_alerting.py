"""Alerts end to end: a fleet that goes bad, a core, and a real HTTP server that is told of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from backend.core.errors import AccessDenied, InvalidInput
from backend.core.model import Secret
from backend.server import webhook
from backend.server.alerting import STUCK_SECONDS, Alerting, Delivery, Pulse
from backend.server.core import Core
from backend.server.survey import FRESH_SECONDS, Survey
from backend.server.webhook import Webhook, document
from backend.service import outbox
from backend.service.alert_file import Sink
from backend.service.world import World
from backend.store.records import TokenFault
from backend.wire.mocdeck.v1 import alert_pb2

if TYPE_CHECKING:
    from tests.server.conftest import Site

DAY = timedelta(days=1)
ALIVE = timedelta(minutes=5)
KEY = "hook-T00-B00"
HEADER = "Bearer abc123"


class Receiver:
    """An HTTP server on loopback that keeps what it is sent and answers as it is told."""

    def __init__(self) -> None:
        self.status = 204
        self.location = ""
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                receiver.headers.append(dict(self.headers))
                receiver.paths.append(self.path)
                receiver.go_on.wait(20)
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{KEY}"

    def told(self) -> list[tuple[str, str, str]]:
        """What arrived since the last look: (name, event, severity)."""
        bodies, self.bodies = self.bodies, []
        return [(one["name"], one["event"], one["severity"]) for body in bodies for one in body["notices"]]

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@dataclass(kw_only=True)
class Rig:
    """The agent's alerting on a core of its own, driven by hand under a clock that stands still."""

    site: Site
    sink: Sink
    world: World
    core: Core
    pulse: Pulse
    survey: Survey
    alerting: Alerting
    delivery: Delivery

    async def look(self, after: timedelta = timedelta(seconds=FRESH_SECONDS)) -> None:
        self.site.clock.advance(after)
        self.pulse.beat()
        await self.alerting.evaluate()
        await self.delivery.deliver()

    async def row(self) -> Any:
        return await self.core.submit(lambda tx: tx.sinks.find(self.sink.name))


def assemble(site: Site, sink: Sink) -> Rig:
    world = replace(site.world, sinks=(sink,))
    core = Core(site.store, on_change=lambda _: None, on_lost=lambda: None)
    core.start()
    pulse = Pulse(world)
    survey = Survey(world, core.submit)
    alerting = Alerting(world, core.submit, survey, pulse)
    delivery = Delivery(world, core.submit, sink, pulse)
    return Rig(
        site=site, sink=sink, world=world, core=core, pulse=pulse, survey=survey, alerting=alerting, delivery=delivery
    )


async def take_down(rig: Rig) -> None:
    await rig.core.stop()


@pytest.fixture
async def rig(site: Site, receiver: Receiver) -> AsyncIterator[Rig]:
    """The administrator has signed in, so that the fleet begins well."""
    site.admin()
    sink = Sink(
        name="oncall",
        url=Secret(receiver.url),
        place="http://127.0.0.1",
        is_loopback=True,
        authorization=Secret(HEADER),
        alive_every=ALIVE,
    )
    made = assemble(site, sink)
    await made.delivery.deliver()
    receiver.bodies.clear()
    yield made
    await take_down(made)


async def test_a_client_that_never_signed_in_is_told_once_and_cleared_once(rig: Rig, receiver: Receiver) -> None:
    leaf = rig.site.admin()
    token = rig.site.identity(leaf, "kms-1").token
    await rig.look()
    assert receiver.told() == [("kms-1", "raised", "warning")]
    await rig.look()
    await rig.look()
    assert receiver.told() == []
    rig.site.sign_in("kms-1", token)
    await rig.look()
    assert receiver.told() == [("kms-1", "cleared", "ok")]
    await rig.look()
    assert receiver.told() == []


async def test_a_notice_says_what_happened_to_what_and_what_to_do_next(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    await rig.look()
    (body,) = receiver.bodies
    (notice,) = body["notices"]
    assert (body["schema"], body["kind"], body["deployment"]) == ("mocdeck.alerts/1", "notices", "north")
    assert notice["state"] == "NEVER SIGNED IN"
    assert notice["summary"]
    assert notice["next_step"] == "remove orphan", "it names no cluster"
    assert notice["severity_before"] == "ok"
    assert receiver.headers[-1]["Authorization"] == HEADER
    assert receiver.headers[-1]["Content-Type"] == "application/json"


async def test_it_repeats_after_a_day(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    await rig.look()
    receiver.told()
    await rig.look(DAY - timedelta(seconds=1))
    assert receiver.told() == []
    await rig.look(timedelta(seconds=FRESH_SECONDS))
    assert receiver.told() == [("kms-1", "repeated", "warning")]


async def test_a_token_rotation_that_fails_is_an_alert_that_says_why(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    fault = TokenFault(identity_number=2, token_id="t", why="there is no way to it", since_at=rig.site.clock.now())
    await rig.core.submit(lambda tx: tx.token_faults.put(fault))
    await rig.look()
    (notice,) = receiver.bodies[-1]["notices"]
    assert (notice["name"], notice["severity"]) == ("kms-1", "warning")
    assert notice["summary"].endswith("The agent cannot rotate its token: there is no way to it.")


async def test_a_sink_that_refuses_is_tried_again_and_its_failure_is_seen(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    receiver.status = 503
    await rig.look()
    row = await rig.row()
    assert row.last_error == "http://127.0.0.1 answered with status 503"
    assert KEY not in repr(row)
    first = receiver.bodies.pop()["notices"][0]["id"]
    receiver.status = 200
    await rig.look()
    assert receiver.bodies == [], "it waits"
    await rig.look(outbox.FIRST_WAIT)
    assert receiver.bodies[0]["notices"][0]["id"] == first, "the same notice"
    row = await rig.row()
    assert (row.failing_since_at, row.deliveries, row.failures) == (None, 1, 1)


async def test_a_sink_that_fails_for_five_minutes_is_an_alert_itself(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    receiver.status = 500
    await rig.look()
    await rig.look(timedelta(minutes=5))
    await rig.look()
    found = await rig.core.submit(lambda tx: tx.alerts.find("sink:oncall"))
    assert found is not None
    assert "do not arrive" in found.summary


async def test_a_redirect_is_not_followed(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    receiver.status, receiver.location = 307, receiver.url + "/elsewhere"
    await rig.look()
    assert receiver.paths[-1] == f"/{KEY}"
    assert (await rig.row()).last_error.endswith("status 307")


async def test_a_sink_that_is_not_there_is_named_without_its_url(site: Site, receiver: Receiver) -> None:
    site.admin()
    receiver.close()
    sink = Sink(name="gone", url=Secret(receiver.url), place="http://127.0.0.1", is_loopback=True)
    rig = assemble(site, sink)
    rig.site.identity(rig.site.admin(), "kms-1")
    await rig.look()
    row = await rig.row()
    assert row.last_error == "http://127.0.0.1 cannot be reached: Connection refused"
    await take_down(rig)


async def test_a_sink_that_hangs_holds_up_no_second_request(
    rig: Rig, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_DEADLINE_SECONDS", 0.3)
    rig.site.identity(rig.site.admin(), "kms-1")
    receiver.go_on.clear()
    await rig.look()
    assert "did not answer within" in (await rig.row()).last_error
    await rig.look(outbox.FIRST_WAIT)
    assert "has still not ended" in (await rig.row()).last_error
    assert len(receiver.bodies) == 1
    receiver.go_on.set()


async def test_a_crash_after_sending_repeats_the_same_notice_and_a_restart_loses_none(
    rig: Rig, receiver: Receiver
) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    rig.site.clock.advance(timedelta(seconds=FRESH_SECONDS))
    await rig.alerting.evaluate()
    parcel = await rig.core.submit(lambda tx: outbox.take(tx, rig.world, rig.sink, is_well=True))
    assert parcel is not None
    hook = Webhook(rig.sink)
    await hook.post(document(rig.world, rig.sink, parcel, rig.site.clock.now()))
    # Here it dies, before it could write that the notice was taken
    await rig.core.stop()
    again = assemble(rig.site, rig.sink)
    await again.look()
    ids = [body["notices"][0]["id"] for body in receiver.bodies]
    assert len(ids) == 2
    assert ids[0] == ids[1], "a receiver can tell"
    await again.look()
    assert len(receiver.bodies) == 2
    rig.core, rig.delivery = again.core, again.delivery


async def test_signs_of_life_come_as_promised_and_end_with_the_agents_work(rig: Rig, receiver: Receiver) -> None:
    await rig.look(ALIVE - timedelta(seconds=1))
    assert receiver.bodies == []
    await rig.look(timedelta(seconds=1))
    (body,) = receiver.bodies
    assert (body["kind"], body["notices"], body["next_within_seconds"]) == ("alive", [], 300)
    receiver.bodies.clear()
    rig.site.clock.advance(ALIVE)  # the tick does not come round
    await rig.delivery.deliver()
    assert receiver.bodies == []
    assert rig.pulse.silent_seconds > STUCK_SECONDS
    await rig.alerting.evaluate()
    await rig.delivery.deliver()
    assert ("agent's work", "raised", "critical") in receiver.told()


async def test_a_doubted_clock_is_told_and_judges_nobody(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    await rig.look()
    receiver.told()
    await rig.core.submit(lambda tx: tx.meta.put("clock.frozen", "1 the clock jumped ahead by 400 days"))
    rig.site.clock.set(rig.site.clock.now() + 400 * DAY)
    await rig.look()
    assert receiver.told() == [("agent's clock", "raised", "critical")]


async def test_a_planned_off_client_is_quiet_about_what_being_off_explains(rig: Rig, receiver: Receiver) -> None:
    rig.site.identity(rig.site.admin(), "kms-1")
    off = rig.site.clock.now() + timedelta(hours=2)

    def plan(tx: Any) -> None:
        tx.identities.put(replace(tx.identities.get("kms-1"), planned_off_until=off))

    await rig.core.submit(plan)
    await rig.look()
    assert receiver.told() == []
    await rig.look(timedelta(hours=2))
    assert receiver.told() == [("kms-1", "raised", "warning")]


async def test_many_askers_cost_the_core_one_read(rig: Rig) -> None:
    before = rig.survey.reads
    looks = await asyncio.gather(*(rig.survey.look() for _ in range(20)))
    assert rig.survey.reads == before + 1
    assert len({id(look) for look in looks}) == 1
    rig.site.clock.advance(timedelta(seconds=FRESH_SECONDS))
    await rig.survey.look()
    assert rig.survey.reads == before + 2


def test_whoever_may_look_may_not_make_the_others_deaf(site: Site) -> None:
    admin = site.admin()
    reader, contributor = site.member(admin, "reader", "Reader"), site.member(admin, "helper", "Contributor")
    until = int((site.clock.now() + DAY).timestamp())
    silence = alert_pb2.SilenceRequest(name="reader", until=until, reason="moved", origin="cli")
    assert site.call("AlertAgent", "List", alert_pb2.AlertListRequest(), reader).agent_time
    for name, request in (
        ("Silence", silence),
        ("Acknowledge", alert_pb2.AcknowledgeRequest(name="reader", until=until)),
        ("Test", alert_pb2.AlertTestRequest()),
    ):
        with pytest.raises(AccessDenied):
            site.call("AlertAgent", name, request, reader)
    made = site.call("AlertAgent", "Silence", silence, contributor)
    assert (made.actor, made.ceiling, made.until) == ("helper", "unknown", until)


@pytest.mark.parametrize(
    "request_",
    [
        alert_pb2.AcknowledgeRequest(name="kms-1"),
        alert_pb2.AcknowledgeRequest(name="kms-1", until=-5),
        alert_pb2.AcknowledgeRequest(name="", until=2_000_000_000),
        alert_pb2.AcknowledgeRequest(name="kms-1", until=2_000_000_000, reason="a\x1b[31m"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(site: Site, request_: alert_pb2.AcknowledgeRequest) -> None:
    with pytest.raises(InvalidInput):
        site.call("AlertAgent", "Acknowledge", request_, site.admin())


async def test_a_whole_fleet_that_ends_is_told_in_parcels(rig: Rig, receiver: Receiver) -> None:
    leaf = rig.site.admin()
    for number in range(outbox.BATCH + 20):
        rig.site.identity(leaf, f"kms-{number}")
    await rig.look()
    sizes = [len(body["notices"]) for body in receiver.bodies]
    assert sizes == [outbox.BATCH, 20]
    assert len({notice["id"] for body in receiver.bodies for notice in body["notices"]}) == sum(sizes)
