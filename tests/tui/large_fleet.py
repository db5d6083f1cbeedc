"""Fleets of any size, as an agent would send them; made by arithmetic, so that a size is always the same fleet."""

from __future__ import annotations

from collections.abc import Iterator

from backend.core.delta import AuthorityInfo, ClientColumns, ClusterInfo, FleetDelta, unix
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus
from tests.tui.staged_agent import DAY, NOW

T = unix(NOW)
SECONDS = 86_400
KINDS = ("CSI", "KMS", "NodeAgent", "CertManager", "CAPH")
CLUSTERS = 50


def large_fleet(size: int, *, chunk: int = 2000, change: int = 1, deployment: str = "bonn") -> Iterator[FleetDelta]:
    """Yield a snapshot of `size` clients in chunks; two in a hundred have ended, the others end over ninety days."""
    authority = AuthorityInfo(
        generation=4,
        subject="CA",
        validity=Validity(not_before=NOW - 100 * DAY, not_after=NOW + 200 * DAY),
        status=AuthorityStatus.ISSUING,
        fingerprint="9c41" * 16,
    )
    clusters = tuple(ClusterInfo(name=f"wl{number:02}", is_management=False) for number in range(CLUSTERS))
    for begin in range(0, max(size, 1), chunk):
        count = min(chunk, size - begin)
        is_last = begin + count >= size
        names, clients = _columns(begin, count)
        yield FleetDelta(
            full=not begin,
            last=is_last,
            change=change if is_last else 0,
            agent_time=T,
            deployment=deployment,
            names=names,
            clients=clients,
            authorities=(authority,) if is_last else (),
            clusters=clusters if is_last else (),
        )


def _columns(begin: int, count: int) -> tuple[list[str], ClientColumns]:
    numbers = range(begin + 1, begin + count + 1)
    names = [f"client-{number - 1:07}" for number in numbers]
    kinds, clusters = len(names), len(names) + len(KINDS)
    names += [*KINDS, *(f"wl{number:02}" for number in range(CLUSTERS)), ""]
    nothing, zero = [len(names) - 1] * count, [0] * count
    ends = [T + (number * 7_919_003) % (92 * SECONDS) - 2 * SECONDS for number in numbers]
    tokens = [T + (number * 104_729) % (89 * SECONDS) + 1 for number in numbers]
    return names, ClientColumns(
        number=list(numbers),
        name=list(range(count)),
        kind=[kinds + number % len(KINDS) for number in numbers],
        cluster=[clusters + number % CLUSTERS for number in numbers],
        host=nothing,
        owner=nothing,
        certificate_not_before=[end - 90 * SECONDS for end in ends],
        certificate_not_after=ends,
        generation=[4] * count,
        serial_low=list(numbers),
        used_serial_low=zero,
        token_issued_at=[end - 90 * SECONDS for end in tokens],
        token_expires_at=tokens,
        last_seen_at=[T] * count,
        heartbeat_at=zero,
        heartbeat_interval=zero,
        skew=zero,
        flags=[5 if number % 3 else 0 for number in numbers],
        planned_off_until=zero,
        activity=nothing,
    )
