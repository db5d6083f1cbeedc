"""The fleet's columns cross the wire in chunks, and a reader ends with what the agent had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.delta import AuthorityInfo, ClientColumns, ClusterInfo, FleetDelta
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
    )


def sent(delta: FleetDelta) -> list[fleet_pb2.FleetChunk]:
    return [fleet_pb2.FleetChunk.FromString(chunk.SerializeToString()) for chunk in convert.fleet_chunks(delta)]


def read(deltas: list[FleetDelta]) -> tuple[object, ...]:
    """Everything that a reader holds after `deltas`."""
    fleet = FleetColumns()
    for delta in deltas:
        fleet.apply(delta)
    rows = sorted((fleet.row(index) for index in range(len(fleet))), key=lambda row: row.number)
    frame = (fleet.change, fleet.agent_time, fleet.deployment, fleet.deployment_id, fleet.agent_version)
    return rows, frame, fleet.authorities, fleet.clusters, fleet.bundle_epoch, fleet.simulated, fleet.rotation_phase


@pytest.mark.parametrize(("count", "chunks"), [(0, 1), (1, 1), (1999, 1), (2000, 1), (2001, 2), (4001, 3)])
def test_a_snapshot_arrives_whole_in_chunks_of_at_most_2000_clients(count: int, chunks: int) -> None:
    delta = fleet_of(count)
    messages = sent(delta)
    assert len(messages) == chunks
    assert max(len(message.clients.number) for message in messages) <= 2000
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
    assert (back.change, back.clients.number, back.authorities) == (41, delta.clients.number, delta.authorities)
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
    assert sum(len(message.clients.number) for message in messages) == 1


def test_an_ordinary_client_costs_less_than_100_bytes_on_the_wire() -> None:
    assert sum(message.ByteSize() for message in sent(fleet_of(2000))) < 100 * 2000


numbers = st.integers(0, 2**32 - 1)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(numbers, st.text(max_size=9), st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**64 - 1)),
        max_size=12,
        unique_by=lambda client: client[0],
    ),
    st.sets(numbers, max_size=5),
)
def test_any_columns_survive_the_wire(clients: list[tuple[int, str, int, int]], removed: set[int]) -> None:
    count = len(clients)
    zeros = [0] * count
    columns = dict.fromkeys(ClientColumns.__dataclass_fields__, zeros)
    columns |= {
        "number": [client[0] for client in clients],
        "name": list(range(count)),
        "skew": [client[2] for client in clients],
        "serial_low": [client[3] for client in clients],
    }
    delta = FleetDelta(
        last=True, names=[client[1] for client in clients], clients=ClientColumns(**columns), removed=sorted(removed)
    )
    back = [convert.fleet_delta(message) for message in sent(delta)]
    assert [number for part in back for number in part.removed] == sorted(removed)
    arrived = [
        (number, part.names[name], skew, serial)
        for part in back
        for number, name, skew, serial in zip(
            part.clients.number, part.clients.name, part.clients.skew, part.clients.serial_low, strict=True
        )
    ]
    assert arrived == clients


def test_a_column_that_points_outside_the_names_is_refused() -> None:
    (chunk,) = sent(fleet_of(1))
    chunk.clients.host[0] = 99
    with pytest.raises(InvalidInput, match="host"):
        read([convert.fleet_delta(chunk)])


def test_columns_of_unequal_length_are_refused() -> None:
    chunk = fleet_pb2.FleetChunk(clients=fleet_pb2.ClientColumns(number=[1, 2], name=[0]))
    with pytest.raises(InvalidInput, match="unequal length"):
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
        convert.fleet_delta(fleet_pb2.FleetChunk(authorities=[row]))
