"""The forecasts as metrics: the numbers are those of the screen, and what is not known has no series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.delta import AuthorityInfo, ClientColumns, ClientFlag, ClusterInfo, FleetDelta, unix
from backend.core.fleet import FleetColumns
from backend.core.forecast import forecast
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus
from backend.core.subjects import read_site
from backend.server.outlook import FLEET, families, outlook

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Labels = tuple[tuple[str, str], ...]
CLUSTERS = (ClusterInfo(name="mgmt", is_management=True), ClusterInfo(name="wl1", is_management=False))
#        name, kind, days left of the certificate, of the token, flags
CLIENTS = (
    ("kms-1", "KMS", 60, 60, ClientFlag.AUTO_RENEW | ClientFlag.AUTO_ROTATE | ClientFlag.ROTATES_BY_POLICY),
    ("kms-2", "KMS", 50, -1, ClientFlag.AUTO_RENEW),
    ("csi-1", "CSI", 10, 20, ClientFlag.AUTO_RENEW | ClientFlag.AUTO_ROTATE | ClientFlag.ROTATION_FAILS),
    ("out-1", "CSI", -2, -3, ClientFlag.NONE),
)


def columns(*, authority_left: timedelta = 300 * DAY) -> FleetColumns:
    names = [name for name, *_ in CLIENTS] + ["KMS", "CSI", "wl1", ""]
    count = len(CLIENTS)
    delta = FleetDelta(
        change=1,
        agent_time=unix(NOW),
        full=True,
        last=True,
        names=names,
        clusters=CLUSTERS,
        authorities=(
            AuthorityInfo(
                generation=3,
                subject="CN=ca",
                validity=Validity(not_before=NOW - 65 * DAY, not_after=NOW + authority_left),
                status=AuthorityStatus.ISSUING,
                fingerprint="ab",
            ),
        ),
        clients=ClientColumns(
            number=range(1, count + 1),
            name=range(count),
            kind=[names.index(kind) for _, kind, *_ in CLIENTS],
            cluster=[names.index("wl1")] * count,
            host=[names.index("")] * count,
            owner=[names.index("")] * count,
            certificate_not_before=[unix(NOW + (left - 90) * DAY) for _, _, left, *_ in CLIENTS],
            certificate_not_after=[unix(NOW + left * DAY) for _, _, left, *_ in CLIENTS],
            generation=[3] * count,
            serial_low=[7] * count,
            used_serial_low=[7] * count,
            token_issued_at=[unix(NOW + (left - 90) * DAY) for *_, left, _ in CLIENTS],
            token_expires_at=[unix(NOW + left * DAY) for *_, left, _ in CLIENTS],
            last_seen_at=[unix(NOW)] * count,
            heartbeat_at=[unix(NOW)] * count,
            heartbeat_interval=[30] * count,
            skew=[0] * count,
            flags=[int(flags) for *_, flags in CLIENTS],
            planned_off_until=[0] * count,
            activity=[names.index("")] * count,
            renew_until=[unix(NOW - 5 * DAY) if name == "csi-1" else 0 for name, *_ in CLIENTS],
        ),
    )
    made = FleetColumns()
    made.apply(delta)
    return made


def scraped(made: FleetColumns) -> dict[str, dict[Labels, float]]:
    found: dict[str, dict[Labels, float]] = {}
    for family in families(outlook(made, NOW)):
        assert family.documentation
        for sample in family.samples:
            series = found.setdefault(sample.name, {})
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in series
            series[labels] = float(sample.value)
    return found


def by(series: Mapping[Labels, float], label: str) -> dict[str, float]:
    return {dict(labels)[label]: value for labels, value in series.items()}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[Labels, float]]:
    return scraped(columns())


def test_the_stranding_instants_are_those_of_the_forecast(found: dict[str, dict[Labels, float]]) -> None:
    site = read_site(columns(), NOW)
    expected = {one.name: one.stranding.from_at.timestamp() for one in site.subjects if one.stranding.from_at}
    assert by(found["mocdeck_identity_stranded_from_timestamp_seconds"], "identity") == expected
    silent = {
        one.name: one.stranding.silent_from_at.timestamp() for one in site.subjects if one.stranding.silent_from_at
    }
    assert by(found["mocdeck_identity_stranded_if_silent_from_timestamp_seconds"], "identity") == silent
    assert found["mocdeck_identities_stranded"] == {(): 1.0}, "out-1 has neither"


def test_a_silent_stop_is_1_for_whoever_promised_to_renew_and_has_no_series_for_the_others(
    found: dict[str, dict[Labels, float]],
) -> None:
    stopped = by(found["mocdeck_identity_renewal_stopped"], "identity")
    assert stopped == {"kms-1": 0, "kms-2": 0, "csi-1": 1}


def test_token_rotations_are_counted_by_whom_and_a_fault_is_1(found: dict[str, dict[Labels, float]]) -> None:
    assert by(found["mocdeck_identities_by_token_rotation"], "by") == {"flag": 1, "policy": 1, "nobody": 2}
    assert by(found["mocdeck_identity_token_rotation_fails"], "identity") == {"kms-1": 0, "csi-1": 1}


def test_clusters_and_the_fleet_say_until_when_they_may_be_off_and_whether_they_may_restart(
    found: dict[str, dict[Labels, float]],
) -> None:
    coming = forecast(read_site(columns(), NOW))
    until = {one.name: one.safe_off.until.timestamp() for one in coming.clusters if one.safe_off.until}
    assert by(found["mocdeck_cluster_safe_off_until_timestamp_seconds"], "cluster") == until
    assert "wl1" not in until, "its KMS has a dead token"
    for name in ("mgmt", "wl1", FLEET):
        said = [dict(labels) for labels, value in found["mocdeck_cluster_safe_off"].items() if value]
        assert sum(one["cluster"] == name for one in said) == 1, "one verdict each"
    reboot = {
        dict(labels)["cluster"]: dict(labels)["answer"]
        for labels, v in found["mocdeck_cluster_reboot_safe"].items()
        if v
    }
    assert reboot["wl1"] == reboot[FLEET] == "no"


def test_the_upgrade_is_not_ready_and_the_tests_that_fail_are_told(found: dict[str, dict[Labels, float]]) -> None:
    ready = by({labels: value for labels, value in found["mocdeck_upgrade_ready"].items() if value}, "result")
    assert list(ready) == ["fail"]
    failed = {
        dict(labels)["test"]
        for labels, v in found["mocdeck_upgrade_check"].items()
        if v and dict(labels)["result"] == "fail"
    }
    assert {"signed in", "latent"} <= failed


def test_the_cas_cliff_is_where_a_whole_lifetime_no_longer_fits(found: dict[str, dict[Labels, float]]) -> None:
    begins = by(found["mocdeck_ca_cliff_timestamp_seconds"], "generation")["3"]
    assert begins == (NOW + 300 * DAY - 90 * DAY + timedelta(minutes=5, seconds=1)).timestamp()
    assert by(found["mocdeck_ca_limited_identities"], "generation") == {"3": 0}
    near = scraped(columns(authority_left=30 * DAY))
    assert by(near["mocdeck_ca_cliff_timestamp_seconds"], "generation")["3"] < NOW.timestamp(), "it is over"
    assert by(near["mocdeck_ca_limited_identities"], "generation") == {"3": 2}


def test_a_fleet_of_nobody_has_no_cliff_and_no_client() -> None:
    empty = FleetColumns()
    empty.apply(FleetDelta(change=1, agent_time=unix(NOW), full=True, last=True))
    found = scraped(empty)
    assert "mocdeck_ca_cliff_timestamp_seconds" not in found
    assert found["mocdeck_identities_stranded"] == {(): 0.0}
