"""The columnar fleet: deltas in, rows and facts out, hostile texts made inert on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InvalidInput
from backend.core.facts import Overlay, Severity, State
from backend.core.fleet import (
    AuthorityInfo,
    ClientColumns,
    ClientFlag,
    ClusterInfo,
    FleetColumns,
    FleetDelta,
    instant,
    unix,
)
from backend.core.health import assess
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus, ClientKind, TokenStanding

NOW = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)
DAY = timedelta(days=1)
T = unix(NOW)
D = 86400
TEXTS = ("name", "kind", "cluster", "host", "owner", "activity")

AUTHORITY = AuthorityInfo(
    generation=4,
    subject="bonn CA g4",
    validity=Validity(not_before=NOW - 100 * DAY, not_after=NOW + 200 * DAY),
    status=AuthorityStatus.ISSUING,
    fingerprint="ab" * 32,
)


def client(number: int, **columns: Any) -> dict[str, Any]:
    """One client in full, by column name; texts as text."""
    return {
        "number": number,
        "name": f"csi-{number:03}",
        "kind": "CSI",
        "cluster": "bonn-wl1",
        "host": "",
        "owner": "team-a",
        "certificate_not_before": T - 30 * D,
        "certificate_not_after": T + 60 * D,
        "generation": 4,
        "serial_low": 2**64 - 1,
        "used_serial_low": 7,
        "token_issued_at": T - 30 * D,
        "token_expires_at": T + 60 * D,
        "last_seen_at": T - 5,
        "heartbeat_at": T - 5,
        "heartbeat_interval": 30,
        "skew": -2,
        "flags": 0,
        "planned_off_until": 0,
        "activity": "",
        **columns,
    }


def delta(*clients: Mapping[str, Any], **frame: Any) -> FleetDelta:
    """Make a delta of clients as the wire would: texts interned."""
    names: dict[str, int] = {}
    columns: dict[str, list[int]] = {field.name: [] for field in fields(ClientColumns)}
    for values in clients:
        for name, value in values.items():
            columns[name].append(names.setdefault(value, len(names)) if name in TEXTS else value)
    return FleetDelta(
        **{"last": True, "agent_time": T, "names": list(names), "clients": ClientColumns(**columns), **frame}
    )


def fleet(*clients: Mapping[str, Any], **frame: Any) -> FleetColumns:
    columns = FleetColumns()
    columns.apply(delta(*clients, **{"full": True, "change": 1, "authorities": (AUTHORITY,), **frame}))
    return columns


def assess_first(columns: FleetColumns, *, agent_alive: bool = True, now: datetime = NOW) -> Any:
    return assess(columns.facts(0, now=now, agent_alive=agent_alive, agent_now=NOW), now)


def test_a_row_comes_back_as_it_was_told() -> None:
    row = fleet(client(1, flags=5, activity="renewing")).row(0)
    assert (row.number, row.name, row.kind, row.cluster, row.owner) == (
        1,
        "csi-001",
        ClientKind.CSI,
        "bonn-wl1",
        "team-a",
    )
    assert row.certificate_not_after == NOW + 60 * DAY
    assert row.serial_low == 2**64 - 1
    assert row.skew == timedelta(seconds=-2)
    assert row.flags == ClientFlag.AUTO_RENEW | ClientFlag.AUTO_ROTATE
    assert row.planned_off_until is None
    assert row.activity == "renewing"


def test_a_kind_that_this_version_does_not_know_is_other() -> None:
    assert fleet(client(1, kind="Toaster")).row(0).kind is ClientKind.OTHER


def test_hostile_texts_are_inert_before_anybody_can_show_them() -> None:
    columns = fleet(
        client(1, name="\x1b[2Jkms\u202e", cluster="a\nb"),
        deployment="bo\x07nn",
        clusters=(ClusterInfo(name="a\nb", is_management=True),),
    )
    assert columns.row(0).name == "\ufffd[2Jkms\ufffd"
    assert columns.deployment == "bo\ufffdnn"
    assert columns.clusters[0].name == columns.row(0).cluster == "a\ufffdb"


def test_facts_carry_what_the_flags_say() -> None:
    bits = ClientFlag.AUTO_RENEW | ClientFlag.AUTO_ROTATE | ClientFlag.IDENTITY_REVOKED | ClientFlag.CERTIFICATE_REVOKED
    facts = fleet(client(1, flags=int(bits | ClientFlag.ORPHAN), activity="renewing")).facts(
        0, now=NOW, agent_alive=True, agent_now=NOW
    )
    assert facts.certificate is not None
    assert facts.certificate.is_revoked
    assert facts.certificate.authority_not_after == NOW + 200 * DAY
    assert (facts.auto_renew, facts.auto_rotate, facts.identity_revoked) == (True, True, True)
    assert (facts.is_orphan, facts.action_running) == (True, True)


@pytest.mark.parametrize(
    ("columns", "standing"),
    [
        ({}, TokenStanding.KNOWN),
        ({"flags": 64}, TokenStanding.EMPTY),
        ({"flags": 128}, TokenStanding.UNKNOWN),
        ({"token_expires_at": 0}, TokenStanding.UNKNOWN),
    ],
)
def test_a_token_is_known_empty_or_unknown(columns: dict[str, int], standing: TokenStanding) -> None:
    facts = fleet(client(1, **columns)).facts(0, now=NOW, agent_alive=True, agent_now=NOW)
    assert facts.token.standing is standing
    assert (facts.token.expires_at is not None) is (standing is TokenStanding.KNOWN)


def test_nobody_knows_whether_a_client_renews_until_it_says_so() -> None:
    facts = fleet(client(1, flags=2)).facts(0, now=NOW, agent_alive=True, agent_now=NOW)
    assert facts.auto_renew is None


def test_a_client_without_a_certificate_has_none() -> None:
    found = assess_first(fleet(client(1, certificate_not_before=0, certificate_not_after=0)))
    assert found.state is State.NEVER_SIGNED_IN


@pytest.mark.parametrize("status", [AuthorityStatus.DISTRUSTED, AuthorityStatus.DESTROYED])
def test_a_certificate_of_a_distrusted_generation_is_not_trusted(status: AuthorityStatus) -> None:
    old = AuthorityInfo(generation=4, subject="s", validity=AUTHORITY.validity, status=status, fingerprint="f")
    assert assess_first(fleet(client(1), authorities=(old,))).state is State.TRUST_BROKEN


def test_the_untrusted_flag_counts_whatever_the_authorities_say() -> None:
    assert assess_first(fleet(client(1, flags=32))).state is State.TRUST_BROKEN
    assert assess_first(fleet(client(1, flags=32, generation=9))).state is State.TRUST_BROKEN


def test_an_issuer_that_is_not_listed_limits_nothing() -> None:
    found = assess_first(fleet(client(1, generation=9)))
    assert (found.state, found.effective_not_after) == (State.OK, NOW + 60 * DAY)


def test_a_client_that_sends_heartbeats_goes_stale_by_itself() -> None:
    columns = fleet(client(1, heartbeat_at=T))
    assert assess_first(columns, now=NOW + timedelta(seconds=60)).severity is Severity.OK
    assert assess_first(columns, now=NOW + timedelta(seconds=61)).overlays == {Overlay.STALE}


def test_a_client_that_sends_none_is_confirmed_by_the_agent_while_it_answers() -> None:
    columns = fleet(client(1, heartbeat_at=0, heartbeat_interval=0))
    assert assess_first(columns, now=NOW + DAY).severity is Severity.OK
    assert assess_first(columns, now=NOW + DAY, agent_alive=False).overlays == {Overlay.STALE}
    facts = columns.facts(0, now=NOW + DAY, agent_alive=False, agent_now=NOW)
    assert facts.observed_at == NOW


@pytest.mark.parametrize(("own", "cluster", "until"), [(0, 0, 0), (5, 0, 5), (0, 7, 7), (5, 7, 7), (9, 7, 9)])
def test_a_client_is_off_by_its_own_plan_or_its_clusters(own: int, cluster: int, until: int) -> None:
    columns = fleet(
        client(1, planned_off_until=T + own if own else 0),
        clusters=(
            ClusterInfo(name="bonn-wl1", is_management=False, planned_off_until=instant(T + cluster if cluster else 0)),
        ),
    )
    facts = columns.facts(0, now=NOW, agent_alive=True, agent_now=NOW)
    assert facts.planned_off_until == (NOW + timedelta(seconds=until) if until else None)


def test_a_delta_changes_adds_and_removes_and_says_which() -> None:
    columns = fleet(client(1), client(2), client(3))
    changed = columns.apply(delta(client(3, owner="b"), client(9), removed=[1, 77], change=5))
    assert changed == [1, 3, 9, 77]
    assert (len(columns), columns.change) == (3, 5)
    assert columns.index_of(1) is None
    for number in (2, 3, 9):
        index = columns.index_of(number)
        assert index is not None
        assert columns.row(index).number == number
        assert columns.text("name", index) == f"csi-{number:03}"
    assert sorted(columns.column("number")) == [2, 3, 9]


def test_a_full_snapshot_forgets_what_was_there_and_is_asked_for_again_until_complete() -> None:
    columns = fleet(client(1), client(2), change=9)
    assert columns.apply(delta(client(3), full=True, last=False, change=0)) == [1, 2, 3]
    assert (len(columns), columns.change, columns.authorities) == (1, 0, ())
    columns.apply(delta(client(4), change=12))
    assert (len(columns), columns.change) == (2, 12)


def test_the_frame_is_taken_when_it_is_complete_and_kept_when_it_is_not_sent() -> None:
    columns = fleet(deployment="bonn", agent_version="1.0", deployment_id="x", bundle_epoch=3, rotation_phase="fenced")
    columns.apply(delta(last=False, bundle_epoch=4, agent_time=0))
    assert (columns.deployment, columns.agent_version, columns.bundle_epoch) == ("bonn", "1.0", 3)
    assert (columns.rotation_phase, columns.agent_time, columns.authorities) == ("fenced", NOW, (AUTHORITY,))
    columns.apply(delta(bundle_epoch=4, simulated=True))
    assert (columns.bundle_epoch, columns.rotation_phase, columns.simulated) == (4, "", True)


@pytest.mark.parametrize(
    "columns",
    [
        {"certificate_not_after": T - 30 * D},
        {"certificate_not_after": -1},
        {"heartbeat_at": 253_402_300_800},
    ],
)
def test_an_answer_that_contradicts_itself_is_refused_whole(columns: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="broken"):
        delta(client(1, **columns))


def test_a_text_that_was_not_sent_is_refused() -> None:
    with pytest.raises(InvalidInput, match="text that was not sent"):
        delta(client(1), names=["csi-001"])


def test_columns_of_unequal_length_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="kind, name"):
        ClientColumns(kind=[1], name=[1])


def test_an_agent_time_out_of_this_world_is_refused() -> None:
    with pytest.raises(InvalidInput, match="clock"):
        delta(agent_time=-1)


def test_instants_go_to_columns_and_back() -> None:
    assert (instant(0), unix(None)) == (None, 0)
    assert instant(unix(NOW)) == NOW
    with pytest.raises(InvalidInput):
        instant(-1)


def test_the_flags_and_columns_are_those_of_the_wire() -> None:
    text = Path(__file__).parents[2].joinpath("backend/wire/mocdeck/v1/fleet.proto").read_text()
    assert all(f" {flag.name} = {flag.value};" in text for flag in ClientFlag)
    message = text.split("message ClientColumns {")[1].split("}")[0]
    on_wire = [line.split()[1] for line in message.splitlines() if line.strip().startswith("Column ")]
    assert on_wire == [field.name for field in fields(ClientColumns)]


MOVES = st.lists(
    st.tuples(
        st.lists(st.integers(min_value=1, max_value=12), max_size=6),
        st.lists(st.integers(min_value=1, max_value=12), max_size=4),
        st.booleans(),
    ),
    max_size=12,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(MOVES)
def test_whatever_comes_and_goes_the_columns_hold_what_a_dictionary_would(
    moves: list[tuple[list[int], list[int], bool]],
) -> None:
    columns = FleetColumns()
    expected: dict[int, str] = {}
    for step, (put, removed, full) in enumerate(moves):
        columns.apply(delta(*(client(n, owner=f"o{step}") for n in put), removed=removed, full=full))
        expected = {n: owner for n, owner in ({} if full else expected).items() if n not in removed}
        expected |= dict.fromkeys(put, f"o{step}")
        rows = [columns.row(index) for index in range(len(columns))]
        assert {row.number: row.owner for row in rows} == expected
        assert [columns.index_of(row.number) for row in rows] == list(range(len(rows)))
