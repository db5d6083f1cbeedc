"""The fleet's columns cross the wire in chunks, and a reader ends with what the agent had."""

from __future__ import annotations

import contextlib
import random
import zlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.delta import (
    INSTANT_COLUMNS,
    LAST_SECOND,
    TEXT_COLUMNS,
    AuthorityInfo,
    ClientColumns,
    ClusterInfo,
    FleetDelta,
)
from backend.core.errors import InvalidInput
from backend.core.fleet import FleetColumns
from backend.core.lifecycle import Validity
from backend.core.limits import MESSAGE_BYTES
from backend.core.model import AuthorityStatus
from backend.wire import convert
from backend.wire.mocdeck.v1 import fleet_pb2

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
KINDS = ["KMS", "CSI", "NodeAgent"]


def fleet_of(count: int, *, name_length: int = 0, removed: int = 0, full: bool = True) -> FleetDelta:
    """A snapshot of `count` clients whose every column differs from client to client."""
    names = ["", *KINDS, "c0", "c1", *(f"client-{number}".ljust(name_length, "x") for number in range(count))]
    clients = range(count)
    return FleetDelta(
        change=41,
        agent_time=NOW,
        full=full,
        last=True,
        deployment="site-1",
        deployment_id="d-1",
        names=names,
        clients=ClientColumns(
            number=[7 + client for client in clients],
            name=[6 + client for client in clients],
            kind=[1 + client % 3 for client in clients],
            cluster=[4 + client % 2 for client in clients],
            host=[0 for _ in clients],
            owner=[0 for _ in clients],
            certificate_not_before=[NOW - client for client in clients],
            certificate_not_after=[NOW + 90 * 86400 + client for client in clients],
            generation=[1 for _ in clients],
            serial_low=[2**64 - 1 - client for client in clients],
            used_serial_low=list(clients),
            token_issued_at=[NOW for _ in clients],
            token_expires_at=[NOW + client for client in clients],
            last_seen_at=[0 for _ in clients],
            heartbeat_at=[NOW - client % 60 for client in clients],
            heartbeat_interval=[30 for _ in clients],
            skew=[client % 7 - 3 for client in clients],
            flags=[client % 512 for client in clients],
            planned_off_until=[0 for _ in clients],
            activity=[0 for _ in clients],
        ),
        removed=range(1_000_000, 1_000_000 + removed),
        authorities=(
            AuthorityInfo(
                generation=1,
                subject="site-1 CA g1",
                validity=Validity(not_before=AT, not_after=AT + timedelta(days=365)),
                status=AuthorityStatus.ISSUING,
                fingerprint="ab",
            ),
        ),
        clusters=(
            ClusterInfo(name="c0", is_management=True, planned_off_until=AT),
            ClusterInfo(name="c1", is_management=False),
        ),
        bundle_epoch=3,
        agent_version="0.1.0",
        simulated=True,
        rotation_phase="staged",
        rotation_held=True,
    )


def sent(delta: FleetDelta) -> list[fleet_pb2.FleetChunk]:
    return [fleet_pb2.FleetChunk.FromString(chunk.SerializeToString()) for chunk in convert.fleet_chunks(delta)]


def read(deltas: list[FleetDelta]) -> tuple[object, ...]:
    """Everything that a reader holds after `deltas`."""
    fleet = FleetColumns()
    for delta in deltas:
        fleet.apply(delta)
    rows = sorted((fleet.row(index) for index in range(len(fleet))), key=lambda row: row.number)
    rotation = (fleet.rotation_phase, fleet.rotation_held)
    frame = (fleet.change, fleet.agent_time, fleet.deployment, fleet.deployment_id, fleet.agent_version)
    return rows, frame, fleet.authorities, fleet.clusters, fleet.bundle_epoch, fleet.simulated, rotation


@pytest.mark.parametrize(("count", "chunks"), [(0, 1), (1, 1), (1999, 1), (2000, 1), (2001, 2), (4001, 3)])
def test_a_snapshot_arrives_whole_in_chunks_of_at_most_2000_clients(count: int, chunks: int) -> None:
    delta = fleet_of(count)
    messages = sent(delta)
    assert len(messages) == chunks
    assert max(message.clients.count for message in messages) <= 2000
    assert read([convert.fleet_delta(message) for message in messages]) == read([delta])


def test_only_the_first_chunk_is_full_and_only_the_last_one_moves_the_counter() -> None:
    messages = sent(fleet_of(4001))
    assert [message.full for message in messages] == [True, False, False]
    assert [message.last for message in messages] == [False, False, True]
    assert [message.change for message in messages] == [0, 0, 41]
    assert [len(message.authorities) for message in messages] == [1, 0, 0]


def test_a_small_delta_is_one_message_and_comes_back_equal() -> None:
    delta = fleet_of(3, full=False)
    (message,) = sent(delta)
    back = convert.fleet_delta(message)
    assert (back.change, back.clients.number, back.authorities) == (41, list(delta.clients.number), delta.authorities)
    assert [back.names[index] for index in back.clients.name] == [delta.names[index] for index in delta.clients.name]


def test_long_names_make_more_chunks_and_never_a_message_beyond_the_limit() -> None:
    delta = fleet_of(4000, name_length=700)
    messages = sent(delta)
    assert len(messages) > 2
    assert max(message.ByteSize() for message in messages) < MESSAGE_BYTES
    assert read([convert.fleet_delta(message) for message in messages]) == read([delta])


def test_many_removals_are_split_too() -> None:
    messages = sent(fleet_of(1, removed=20_001, full=False))
    assert [len(message.removed) for message in messages] == [20_000, 1, 0]
    assert sum(message.clients.count for message in messages) == 1


def ordinary(count: int) -> FleetDelta:
    """A fleet as sites have it: signed in over sixty days, heard of within half a minute, serials at random."""
    chance = random.Random(5)  # noqa: S311 - made-up instants
    begins = [NOW - chance.randrange(60 * 86400) for _ in range(count)]
    heard = [NOW - chance.randrange(30) for _ in range(count)]
    minted = [begin - chance.randrange(7200) for begin in begins]
    serials = [chance.getrandbits(64) for _ in range(count)]
    clusters = [f"w{number:04d}" for number in range(min(count, 50))]
    hosts = [f"node-{number:05d}" for number in range(count // 8 + 1)]
    names = [f"w{number % 50:04d}-kms-{number:06d}" for number in range(count)]
    return replace(
        fleet_of(0),
        names=[*names, *KINDS, *clusters, *hosts, ""],
        clients=ClientColumns(
            number=range(1, count + 1),
            name=range(count),
            kind=[count + number % 3 for number in range(count)],
            cluster=[count + 3 + number % len(clusters) for number in range(count)],
            host=[count + 3 + len(clusters) + number // 8 for number in range(count)],
            owner=[count + 3 + len(clusters) + len(hosts)] * count,
            certificate_not_before=begins,
            certificate_not_after=[begin + 90 * 86400 for begin in begins],
            generation=[1] * count,
            serial_low=serials,
            used_serial_low=serials,
            token_issued_at=minted,
            token_expires_at=[at + 90 * 86400 for at in minted],
            last_seen_at=heard,
            heartbeat_at=heard,
            heartbeat_interval=[30] * count,
            skew=[chance.randrange(-2, 3) for _ in range(count)],
            flags=[1 + 4 * (number % 9 == 0) for number in range(count)],
            planned_off_until=[0] * count,
            activity=[count + 3 + len(clusters) + len(hosts)] * count,
            renew_until=[begin + 60 * 86400 - chance.randrange(777_600) for begin in begins],
        ),
    )


def test_an_ordinary_client_costs_at_most_32_bytes_on_the_wire() -> None:
    """performance.md 4 allows 40; the random serial alone needs 8."""
    delta = ordinary(2000)
    messages = sent(delta)
    assert sum(message.ByteSize() for message in messages) <= 32 * 2000
    assert read([convert.fleet_delta(message) for message in messages]) == read([delta])


def test_a_change_of_few_clients_costs_as_much_as_few_clients() -> None:
    frame = sum(message.ByteSize() for message in sent(fleet_of(0, full=False)))
    sizes = [sum(message.ByteSize() for message in sent(replace(ordinary(count), full=False))) for count in (1, 10)]
    assert sizes[0] - frame < 250
    assert sizes[1] - frame < 10 * 150


instants = st.one_of(st.just(0), st.integers(NOW - 10**8, NOW + 10**8), st.integers(0, LAST_SECOND))
small = st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1))
VALUES: dict[str, st.SearchStrategy[int]] = {
    **dict.fromkeys(INSTANT_COLUMNS, instants),
    "number": st.one_of(st.integers(1, 50), st.integers(0, 2**63 - 1)),
    "serial_low": st.integers(0, 2**64 - 1),
    "used_serial_low": st.integers(0, 2**64 - 1),
    "generation": small,
    "heartbeat_interval": small,
    "flags": small,
    "skew": st.integers(-(2**31), 2**31 - 1),
    "certificate_not_before": st.just(0),  # pairs of ends have an order; `certificate_not_after` is drawn
}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)  # half a pair of UTF-16 is no text of protobuf's


@st.composite
def deltas(draw: st.DrawFn) -> FleetDelta:
    """Any columns that core takes; some are one value for everybody, as in life."""
    count = draw(st.integers(0, 40))
    names = draw(st.lists(texts, min_size=1, max_size=12))
    columns: dict[str, list[int]] = {}
    for column in fields(ClientColumns):
        value = VALUES.get(column.name, st.integers(0, len(names) - 1))
        same = draw(st.booleans())
        drawn = [draw(value)] * count if same else draw(st.lists(value, min_size=count, max_size=count))
        columns[column.name] = drawn
    removed = draw(st.sets(st.integers(0, 2**32), max_size=5))
    clients = ClientColumns(**columns)
    return FleetDelta(change=9, last=True, names=names, clients=clients, removed=sorted(removed))


def as_rows(parts: list[FleetDelta]) -> list[tuple[object, ...]]:
    """Every client as plain values, its texts in place of their indices."""
    return [
        tuple(
            part.names[value] if column.name in TEXT_COLUMNS else value
            for column, value in zip(fields(ClientColumns), row, strict=True)
        )
        for part in parts
        for row in zip(*(getattr(part.clients, column.name) for column in fields(ClientColumns)), strict=True)
    ]


@settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(deltas(), st.sampled_from([1, 3, 2000]))
def test_any_columns_survive_the_wire_however_they_are_cut(delta: FleetDelta, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.wire.convert.fleet.CHUNK_CLIENTS", at_once)
        back = [convert.fleet_delta(message) for message in sent(delta)]
    assert as_rows(back) == as_rows([delta])
    assert [number for part in back for number in part.removed] == list(delta.removed)
    assert [part.last for part in back] == [*[False] * (len(back) - 1), True]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.builds(
        fleet_pb2.Column,
        base=st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1)),
        offsets=st.binary(max_size=40),
        values=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
    ),
    st.sampled_from([field.name for field in fields(ClientColumns)]),
)
def test_whatever_a_column_holds_it_is_read_or_refused(column: fleet_pb2.Column, name: str) -> None:
    """A broken agent costs its reader a sentence, never a crash."""
    (chunk,) = sent(fleet_of(5))
    getattr(chunk.clients, name).CopyFrom(column)
    with contextlib.suppress(InvalidInput):
        read([convert.fleet_delta(chunk)])


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_whatever_the_texts_are_they_are_read_or_refused(block: bytes) -> None:
    (chunk,) = sent(fleet_of(5))
    for texts in (block, zlib.compress(block), chunk.clients.texts[:-1], chunk.clients.texts + block):
        broken = fleet_pb2.FleetChunk()
        broken.CopyFrom(chunk)
        broken.clients.texts = texts
        with contextlib.suppress(InvalidInput):
            read([convert.fleet_delta(broken)])


def test_texts_that_would_grow_beyond_a_message_are_refused_before_they_do() -> None:
    (chunk,) = sent(fleet_of(1))
    chunk.clients.texts = zlib.compress(b"\0" * (MESSAGE_BYTES + 1))
    with pytest.raises(InvalidInput, match="exceed"):
        convert.fleet_delta(chunk)


def test_a_chunk_that_claims_a_billion_clients_is_refused() -> None:
    chunk = fleet_pb2.FleetChunk(form=2, clients=fleet_pb2.ClientColumns(count=10**9))
    with pytest.raises(InvalidInput, match="2000"):
        convert.fleet_delta(chunk)


def test_programs_that_would_misread_each_other_say_which_one_is_older() -> None:
    with pytest.raises(InvalidInput, match="in form 1, and this reads form 2: update the agent"):
        convert.fleet_delta(fleet_pb2.FleetChunk(last=True))
    with pytest.raises(InvalidInput, match="in form 3, and this reads form 2: update this program"):
        convert.fleet_delta(fleet_pb2.FleetChunk(last=True, form=3))
    with pytest.raises(InvalidInput, match="form 1 was asked for: this reader is older than the agent"):
        convert.check_form(fleet_pb2.FleetRequest(since=5))
    with pytest.raises(InvalidInput, match="form 3 was asked for: update the agent"):
        convert.check_form(fleet_pb2.FleetRequest(form=3))
    convert.check_form(convert.fleet_request(5))


def test_a_column_that_points_outside_the_names_is_refused() -> None:
    (chunk,) = sent(fleet_of(1))
    chunk.clients.host.base = 99
    with pytest.raises(InvalidInput, match="host"):
        read([convert.fleet_delta(chunk)])


def test_a_column_that_is_shorter_than_its_count_is_refused() -> None:
    (chunk,) = sent(fleet_of(5))
    chunk.clients.serial_low.offsets = chunk.clients.serial_low.offsets[:-1]
    with pytest.raises(InvalidInput, match="for 5 clients"):
        convert.fleet_delta(chunk)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (fleet_pb2.AuthorityRow(generation=1, status="retired"), "unknown status 'retired'"),
        (fleet_pb2.AuthorityRow(generation=1, status="issuing"), "notBefore of CA generation 1 is missing"),
        (
            fleet_pb2.AuthorityRow(generation=1, status="issuing", not_before=9),
            "notAfter of CA generation 1 is missing",
        ),
        (
            fleet_pb2.AuthorityRow(generation=1, status="issuing", not_before=9, not_after=9),
            "generation 1: validity ends",
        ),
    ],
)
def test_an_authority_without_sense_is_refused(row: fleet_pb2.AuthorityRow, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.fleet_delta(fleet_pb2.FleetChunk(authorities=[row], form=2))
