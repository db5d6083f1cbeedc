"""Rows of the store as columns of the fleet view, a page at a time.

Works on whole columns: a fleet is read whenever a reader starts, and a step in Python for each client and column would
be most of the time. Which certificate a client holds is `backend.service.current`'s rule, asked here only of those
whose last call was not made with their newest.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from backend.core.delta import ClientColumns, ClientFlag, unix
from backend.core.model import ClientKind, RevokeReason, TokenStanding
from backend.core.token_policy import RotatedBy, TokenPolicy
from backend.service.current import counts, trusted_generations
from backend.store.port import Transaction
from backend.store.records import FleetRow

_ADMIN_TOOLS: Final = frozenset(kind.value for kind in ClientKind if kind.is_admin_tool)
_KINDS: Final = {kind.value: kind for kind in ClientKind}
_ROTATED: Final = RevokeReason.ROTATION.value
_UNKNOWN: Final = TokenStanding.UNKNOWN.value
_LOW_BITS: Final = struct.Struct(">12xQ")  # of the 20 octets that a serial has at most
_NO_SERIAL: Final = "0" * 40
_OF_CERTIFICATE: Final = ("serial", "not_before", "not_after", "generation", "revoked_at")
_JUDGED: Final = (
    "auto_renew",
    "auto_rotate",
    "heartbeat_interval",
    "heartbeat_loop_alive",
    "revoked_at",
    "newest_revoked_at",
    "newest_revoke_reason",
    "newest_generation",
    "token_standing",
    "cluster",
    "kind",
)
_NUMBER: Final = FleetRow._fields.index("number")

Values = tuple[Any, ...]  # one client's, in the order of `FleetRow`
_Raw = dict[str, Sequence[Any]]  # the fields of `FleetRow`, each as a column, and "activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What rows are judged with; `now` in Unix seconds, `gone` are the clusters that were removed.

    `failing` are the clients whose token the agent is to rotate and cannot.
    """

    activities: Mapping[int, str]
    trusted: frozenset[int]
    gone: frozenset[str]
    now: int
    policy: TokenPolicy
    failing: frozenset[int]


def sources_of(tx: Transaction, rows: Sequence[Values], policy: TokenPolicy, now: datetime) -> Sources:
    """Gather what these rows are judged with."""
    is_working = bool(rows and tx.operations.running())
    return Sources(
        activities=dict(tx.operations.activities([row[_NUMBER] for row in rows])) if is_working else {},
        trusted=trusted_generations(tx.authorities.all()),
        gone=frozenset(cluster.name for cluster in tx.clusters.all() if cluster.removed_at is not None),
        now=unix(now),
        policy=policy,
        failing=frozenset(fault.identity_number for fault in tx.token_faults.all()),
    )


def columns_of_rows(sources: Sources, rows: Sequence[Values]) -> tuple[Sequence[str], ClientColumns]:
    """Return the texts of these clients and the columns that point at them: the names first, in the rows' order."""
    if not rows:
        return (), ClientColumns()
    raw: _Raw = dict(zip(FleetRow._fields, zip(*rows, strict=True), strict=True))
    raw["activity"] = [sources.activities.get(number, "") for number in raw["number"]]
    _choose_certificates(sources, raw)
    texts: dict[str, int] = {}
    columns = ClientColumns(
        number=raw["number"],
        name=range(len(rows)),
        kind=_interned(raw["kind"], texts, len(rows)),
        cluster=_interned(raw["cluster"], texts, len(rows)),
        host=_interned(raw["host"], texts, len(rows)),
        owner=_interned(raw["owner"], texts, len(rows)),
        certificate_not_before=_filled(raw["newest_not_before"]),
        certificate_not_after=_filled(raw["newest_not_after"]),
        generation=_filled(raw["newest_generation"]),
        serial_low=_low_bits(raw["newest_serial"]),
        used_serial_low=_low_bits(raw["seen_serial"]),
        token_issued_at=_filled(raw["token_issued_at"]),
        token_expires_at=_filled(raw["token_expires_at"]),
        last_seen_at=_filled(raw["seen_at"]),
        heartbeat_at=_filled(raw["heartbeat_heard_at"]),
        heartbeat_interval=_filled(raw["heartbeat_interval"]),  # 0: none are promised, so none are missed
        skew=_filled(raw["heartbeat_skew"]),
        flags=_flags(sources, raw),
        planned_off_until=_filled(raw["planned_off_until"]),
        activity=_interned(raw["activity"], texts, len(rows)),
        renew_until=_filled(raw["newest_renew_until"]),  # of the newest: a renewal has arrived once it is issued
    )
    return [*raw["name"], *texts], columns


def _choose_certificates(sources: Sources, raw: _Raw) -> None:
    """Put the certificate of the last call over the newest, where it is another one that counts."""
    if not any(raw["used_serial"]):
        return
    chosen = {name: list(raw[f"newest_{name}"]) for name in _OF_CERTIFICATE}
    used = zip(*(raw[f"used_{name}"] for name in _OF_CERTIFICATE), strict=True)
    for index, (serial, not_before, not_after, generation, revoked_at) in enumerate(used):
        if serial is not None and counts(
            not_before, not_after, sources.now, generation in sources.trusted, revoked_at is not None
        ):
            for name, column in chosen.items():
                column[index] = raw[f"used_{name}"][index]
    raw |= {f"newest_{name}": column for name, column in chosen.items()}


def _filled(column: Sequence[int | None]) -> Sequence[int]:
    return [number or 0 for number in column] if None in column else column  # type: ignore[return-value]  # none is None


def _interned(column: Sequence[str], texts: dict[str, int], first: int) -> list[int]:
    for text in dict.fromkeys(column):
        texts.setdefault(text, first + len(texts))
    return [texts[text] for text in column]


def _low_bits(serials: Sequence[str | None]) -> list[int]:
    digits = "".join([serial or _NO_SERIAL for serial in serials])
    return [low for (low,) in _LOW_BITS.iter_unpack(bytes.fromhex(digits))]


def _flags(sources: Sources, raw: _Raw) -> list[int]:
    """The flags of each client: few of the facts that they are made of differ, so each case is judged once."""
    known = _Flags(sources)
    has_token = [expires_at is not None for expires_at in raw["token_expires_at"]]
    has_route = [bool(path) for path in raw["login_file_path"]]
    in_policy = _in_policy(sources, raw) if sources.policy.rules else [False] * len(has_token)
    fails = [number in sources.failing for number in raw["number"]]
    cases = zip(*(raw[name] for name in _JUDGED), has_token, has_route, in_policy, fails, strict=True)
    return [known[case] for case in cases]


def _in_policy(sources: Sources, raw: _Raw) -> list[bool]:
    found = []
    for kind, cluster, name in zip(raw["kind"], raw["cluster"], raw["name"], strict=True):
        known, orphan = _KINDS.get(kind, ClientKind.OTHER), cluster in sources.gone
        by = sources.policy.rotated_by(known, cluster, name, has_flag=False, is_orphan=orphan)
        found.append(by is RotatedBy.POLICY)
    return found


class _Flags(dict[tuple[Any, ...], int]):
    """The flags of one case: the values of `_JUDGED`, then yes or no.

    Whether there is a current token, whether a file route, whether a policy rotates it, whether that fails.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __missing__(self, case: tuple[Any, ...]) -> int:
        facts, (has_token, has_route, in_policy, fails) = dict(zip(_JUDGED, case, strict=False)), case[-4:]
        flags = ClientFlag.NONE
        if facts["auto_renew"] is None:
            flags |= ClientFlag.AUTO_RENEW_UNKNOWN
        elif facts["auto_renew"]:
            flags |= ClientFlag.AUTO_RENEW
            if facts["heartbeat_interval"] and not facts["heartbeat_loop_alive"]:
                flags |= ClientFlag.LOOP_BROKEN
        if facts["auto_rotate"]:
            flags |= ClientFlag.AUTO_ROTATE
        elif in_policy:
            flags |= ClientFlag.AUTO_ROTATE | ClientFlag.ROTATES_BY_POLICY
        if fails:
            flags |= ClientFlag.ROTATION_FAILS
        if facts["revoked_at"] is not None:
            flags |= ClientFlag.IDENTITY_REVOKED
        if facts["newest_revoked_at"] is not None and facts["newest_revoke_reason"] != _ROTATED:
            flags |= ClientFlag.CERTIFICATE_REVOKED
        if facts["newest_generation"] is not None and facts["newest_generation"] not in self._sources.trusted:
            flags |= ClientFlag.CERTIFICATE_UNTRUSTED
        if not has_token:
            is_unknown = facts["token_standing"] == _UNKNOWN
            flags |= ClientFlag.TOKEN_UNKNOWN if is_unknown else ClientFlag.TOKEN_EMPTY
        if self._is_orphan(facts["cluster"], facts["kind"]):
            flags |= ClientFlag.ORPHAN
        if has_route:
            flags |= ClientFlag.FILE_ROUTE
        self[case] = flags.value
        return flags.value

    def _is_orphan(self, cluster: str, kind: str) -> bool:
        """Tell whether nobody owns it: its cluster was removed, or a service names no cluster at all."""
        return cluster in self._sources.gone if cluster else kind not in _ADMIN_TOOLS
