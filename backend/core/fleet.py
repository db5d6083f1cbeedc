"""The fleet as a reader holds it: columns of instants and interned texts, rows on demand.

Owns the columnar store that the agent's answers are applied to, and the making of `ClientFacts` from it. It holds
instants, never durations, and judges nothing. A client's index is good until the next `apply`: removal moves the last
row into the gap, so that the columns stay dense; whoever remembers a client remembers its number.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from backend.core.delta import (
    INSTANT_COLUMNS,
    NO_END,
    TEXT_COLUMNS,
    AuthorityInfo,
    ClientColumns,
    ClientFlag,
    ClusterInfo,
    FleetDelta,
    instant,
    unix,
)
from backend.core.facts import CertificateFacts, ClientFacts, TokenFacts
from backend.core.inert import inert
from backend.core.lifecycle import Validity
from backend.core.limits import HEARTBEAT
from backend.core.model import ClientKind, TokenStanding
from backend.core.packed import Names, NumberIndex, extended, put

__all__ = [
    "AuthorityInfo",
    "ClientColumns",
    "ClientFlag",
    "ClientRow",
    "ClusterInfo",
    "FleetColumns",
    "FleetDelta",
    "instant",
    "unix",
]

_TEXTS: Final = tuple(name for name in TEXT_COLUMNS if name != "name")  # few distinct ones, kept once each
_NARROWEST: Final = {  # what an ordinary fleet needs; `backend.core.packed` widens what needs more
    "number": "I",
    **dict.fromkeys(_TEXTS, "B"),
    **dict.fromkeys(INSTANT_COLUMNS, "I"),
    "serial_low": "Q",
    "used_serial_low": "Q",
    "generation": "B",
    "heartbeat_interval": "B",
    "skew": "b",
    "flags": "H",
}
NO_TEXT: Final = 0  # the id of the empty text in every text column
_KINDS: Final = {kind.value: kind for kind in ClientKind}

# Plain integers: an IntFlag's `&` costs a microsecond, and ten thousand rows are judged at a time.
_AUTO_RENEW: Final = int(ClientFlag.AUTO_RENEW)
_AUTO_RENEW_UNKNOWN: Final = int(ClientFlag.AUTO_RENEW_UNKNOWN)
_AUTO_ROTATE: Final = int(ClientFlag.AUTO_ROTATE)
_IDENTITY_REVOKED: Final = int(ClientFlag.IDENTITY_REVOKED)
_CERTIFICATE_REVOKED: Final = int(ClientFlag.CERTIFICATE_REVOKED)
_CERTIFICATE_UNTRUSTED: Final = int(ClientFlag.CERTIFICATE_UNTRUSTED)
_TOKEN_EMPTY: Final = int(ClientFlag.TOKEN_EMPTY)
_TOKEN_UNKNOWN: Final = int(ClientFlag.TOKEN_UNKNOWN)
_ORPHAN: Final = int(ClientFlag.ORPHAN)
_FILE_ROUTE: Final = int(ClientFlag.FILE_ROUTE)
_LOOP_BROKEN: Final = int(ClientFlag.LOOP_BROKEN)
_ROTATES_BY_POLICY: Final = int(ClientFlag.ROTATES_BY_POLICY)
_ROTATION_FAILS: Final = int(ClientFlag.ROTATION_FAILS)


@lru_cache(maxsize=1024)
def _flags(bits: int) -> ClientFlag:
    return ClientFlag(bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """One client as the agent described it; the texts are inert. `activity` is "" while nothing works on it."""

    number: int
    name: str
    kind: ClientKind
    cluster: str
    host: str
    owner: str
    certificate_not_before: datetime | None
    certificate_not_after: datetime | None
    generation: int
    serial_low: int  # low 64 bits of the current certificate's serial
    used_serial_low: int  # of the one last used in a call
    token_issued_at: datetime | None
    token_expires_at: datetime | None
    last_seen_at: datetime | None
    heartbeat_at: datetime | None
    heartbeat_interval: timedelta  # zero: it sends none
    skew: timedelta
    flags: ClientFlag
    planned_off_until: datetime | None
    activity: str
    renew_until: datetime | None = None  # end of the newest certificate's renewal slot


class FleetColumns:
    """The fleet of one agent. Not thread-safe; about 90 bytes a client, its name included."""

    def __init__(self) -> None:
        self.change = 0
        self.deployment = ""
        self.deployment_id = ""
        self.agent_version = ""
        self.agent_time: datetime | None = None
        self.bundle_epoch = 0
        self.simulated = False
        self.rotation_phase = ""
        self.rotation_held = False
        self.authorities: tuple[AuthorityInfo, ...] = ()
        self.clusters: tuple[ClusterInfo, ...] = ()
        self._forget()

    def _forget(self) -> None:
        self.change = 0
        self._texts: list[str] = [""]
        self._interned: dict[str, int] = {"": NO_TEXT}
        self._index = NumberIndex()
        self.names = Names()
        self.renames = 0  # how often a client that was here got another name
        self._columns: dict[str, array[int]] = {name: array(code) for name, code in _NARROWEST.items()}
        self._set_authorities(())
        self._set_clusters(())

    def successor(self) -> FleetColumns:
        """Return an empty store that knows what this one knows of its agent: the place for the next snapshot."""
        made = FleetColumns()
        made.deployment, made.deployment_id, made.agent_version = (
            self.deployment,
            self.deployment_id,
            self.agent_version,
        )
        made.agent_time = self.agent_time
        return made

    def __len__(self) -> int:
        return len(self._columns["number"])

    def index_of(self, number: int) -> int | None:
        """Return the present index of an identity number, or None when it is not here."""
        return self._index.get(number)

    def column(self, name: str) -> array[int]:
        """Return one column of integers as stored, for views that read thousands of rows. Do not change or keep it.

        A text column holds ids of `texts`; names are in `names` instead.
        """
        return self._columns[name]

    @property
    def texts(self) -> Sequence[str]:
        """Every distinct kind, cluster, host, owner and activity, by the ids of their columns."""
        return self._texts

    @property
    def kind_words(self) -> Sequence[str]:
        """What a kind with such an id is called: the text itself, or the word for one that is not known."""
        return [_KINDS.get(text, ClientKind.OTHER).value for text in self._texts]

    def text(self, column: str, index: int) -> str:
        """Return one text of a row: name, kind, cluster, host, owner or activity."""
        return self.names[index] if column == "name" else self._texts[self._columns[column][index]]

    def cut(self, start: int, stop: int) -> tuple[list[str], ClientColumns]:
        """Return the rows from `start` to `stop` as `apply` takes them: texts, and columns that point at these."""
        names = self.names.cut(start, stop)
        columns: dict[str, Sequence[int]] = {
            name: column[start:stop].tolist() for name, column in self._columns.items()
        }
        places: dict[int, int] = {}
        for name in _TEXTS:
            for text in dict.fromkeys(columns[name]):
                places.setdefault(text, len(names) + len(places))
            columns[name] = [places[text] for text in columns[name]]
        clients = ClientColumns(name=range(len(names)), **columns)
        return [*names, *(self._texts[text] for text in places)], clients

    def authority_of(self, generation: int) -> AuthorityInfo | None:
        """Return a CA generation that the agent lists."""
        return self._authority.get(generation)

    def apply(self, chunk: FleetDelta) -> list[int]:
        """Take in one chunk and return the identity numbers that changed, came or went.

        The first chunk of a full snapshot makes the reader forget what it had; `change` stays 0 until the snapshot is
        complete, so that a reader whose connection breaks in between asks for all of it again.
        """
        touched = set(chunk.clients.number) | set(chunk.removed)
        if chunk.full:
            touched.update(self._columns["number"])
            self._forget()
        self._take_frame(chunk)
        for number in chunk.removed:
            self.remove(number)
        if len(chunk.clients):
            self._put(chunk.clients, chunk.names)
        return sorted(touched)

    def _take_frame(self, chunk: FleetDelta) -> None:
        """Everything of a chunk that is not a client."""
        self.agent_time = instant(chunk.agent_time) or self.agent_time
        self.deployment = inert(chunk.deployment) or self.deployment
        self.deployment_id = inert(chunk.deployment_id) or self.deployment_id
        self.agent_version = inert(chunk.agent_version) or self.agent_version
        if chunk.authorities:
            self._set_authorities(
                tuple(replace(a, subject=inert(a.subject), fingerprint=inert(a.fingerprint)) for a in chunk.authorities)
            )
        if chunk.clusters:
            self._set_clusters(tuple(replace(c, name=inert(c.name)) for c in chunk.clusters))
        if chunk.last:
            self.change = chunk.change
            self.bundle_epoch = chunk.bundle_epoch
            self.simulated = chunk.simulated
            self.rotation_phase = inert(chunk.rotation_phase)
            self.rotation_held = chunk.rotation_held

    def _set_authorities(self, authorities: tuple[AuthorityInfo, ...]) -> None:
        self.authorities = authorities
        self._authority = {authority.generation: authority for authority in authorities}

    def _set_clusters(self, clusters: tuple[ClusterInfo, ...]) -> None:
        self.clusters = clusters
        self._off = {c.name: c.planned_off_until for c in clusters if c.planned_off_until is not None}

    def _put(self, clients: ClientColumns, names: Sequence[str]) -> None:
        """Clients that are new go to the end at once; those that are known are set one by one."""
        numbers = clients.number
        if len(set(numbers)) == len(numbers) and all(self._index.get(number) is None for number in numbers):
            for row, number in enumerate(numbers, len(self)):
                self._index.put(number, row)
            self._append(clients, names)
        else:
            self._put_each(clients, names)

    def _append(self, clients: ClientColumns, names: Sequence[str]) -> None:
        for name, column in self._columns.items():
            self._columns[name] = extended(column, self._stored(name, getattr(clients, name), names))
        self.names.extend([inert(names[place]) for place in clients.name])

    def _put_each(self, clients: ClientColumns, names: Sequence[str]) -> None:
        rows: list[int] = []
        grown = len(self)
        for number in clients.number:
            row = self._index.get(number)
            if row is None or row >= grown:
                row = grown
                grown += 1
                self._index.put(number, row)
            rows.append(row)
        more = [0] * (grown - len(self))
        self.names.extend([""] * len(more))
        for name, column in self._columns.items():
            values = self._stored(name, getattr(clients, name), names)
            self._columns[name] = put(extended(column, more), rows, values)
        for row, place in zip(rows, clients.name, strict=True):
            name = inert(names[place])
            if self.names[row] != name:
                self.names[row] = name
                self.renames += 1

    def _stored(self, name: str, values: Sequence[int], names: Sequence[str]) -> Sequence[int]:
        """Return a column's values as they are kept: places in the chunk's texts become ids of this store's."""
        if name not in _TEXTS:
            return values
        ids = {place: self._intern(names[place]) for place in set(values)}
        return [ids[place] for place in values]

    def _intern(self, text: str) -> int:
        index = self._interned.get(text)
        if index is None:
            index = self._interned[text] = len(self._texts)
            self._texts.append(inert(text))
        return index

    def remove(self, number: int) -> None:
        """Forget a client if it is here; the last row moves into its place."""
        row = self._index.pop(number)
        if row is None:
            return
        for column in self._columns.values():
            last = column.pop()
            if row < len(column):
                column[row] = last
        name = self.names.pop()
        if row < len(self):
            self.names[row] = name
            self._index.put(self._columns["number"][row], row)

    def row(self, index: int) -> ClientRow:
        """Return one client's columns as values."""
        column = self._columns
        return ClientRow(
            number=column["number"][index],
            name=self.text("name", index),
            kind=self._kind(index),
            cluster=self.text("cluster", index),
            host=self.text("host", index),
            owner=self.text("owner", index),
            certificate_not_before=instant(column["certificate_not_before"][index]),
            certificate_not_after=instant(column["certificate_not_after"][index]),
            generation=column["generation"][index],
            serial_low=column["serial_low"][index],
            used_serial_low=column["used_serial_low"][index],
            token_issued_at=instant(column["token_issued_at"][index]),
            token_expires_at=instant(column["token_expires_at"][index]),
            last_seen_at=instant(column["last_seen_at"][index]),
            heartbeat_at=instant(column["heartbeat_at"][index]),
            heartbeat_interval=timedelta(seconds=column["heartbeat_interval"][index]),
            skew=timedelta(seconds=column["skew"][index]),
            flags=_flags(column["flags"][index]),
            planned_off_until=instant(column["planned_off_until"][index]),
            activity=self.text("activity", index),
            renew_until=instant(column["renew_until"][index]),
        )

    def facts(self, index: int, *, now: datetime, agent_alive: bool, agent_now: datetime) -> ClientFacts:
        """Return what a client is judged by at `now`.

        A client that sends heartbeats was last confirmed by its last one. Of the others the agent is the witness: they
        were confirmed now while it answers, and at `agent_now`, the time of its last answer, when it does not.
        """
        column = self._columns
        bits = column["flags"][index]
        interval = column["heartbeat_interval"][index]
        witnessed_at = now if agent_alive else agent_now
        return ClientFacts(
            kind=self._kind(index),
            name=self.text("name", index),
            certificate=self._certificate(index, bits),
            token=self._token(index, bits),
            # A broken loop renews nothing: whoever counts on it has to be told so.
            auto_renew=None if bits & _AUTO_RENEW_UNKNOWN else bits & (_AUTO_RENEW | _LOOP_BROKEN) == _AUTO_RENEW,
            auto_rotate=bool(bits & _AUTO_ROTATE),
            identity_revoked=bool(bits & _IDENTITY_REVOKED),
            observed_at=instant(column["heartbeat_at"][index]) if interval else witnessed_at,
            poll_interval=timedelta(seconds=interval) if interval else HEARTBEAT,
            skew=timedelta(seconds=column["skew"][index]),
            is_orphan=bool(bits & _ORPHAN),
            planned_off_until=self.planned_off_until(index),
            action_running=bool(self.text("activity", index)),
            agent_alive=agent_alive,
            # Only with heartbeats is it known to keep its slot; others renew by rules of their own (domain.md 5.2).
            renew_until=instant(column["renew_until"][index]) if interval else None,
            has_heartbeat=bool(interval),
            has_file_route=bool(bits & _FILE_ROUTE),
            loop_broken=bool(bits & _LOOP_BROKEN),
            rotates_by_policy=bool(bits & _ROTATES_BY_POLICY),
            rotation_fails=bool(bits & _ROTATION_FAILS),
        )

    def _kind(self, index: int) -> ClientKind:
        return _KINDS.get(self.text("kind", index), ClientKind.OTHER)

    def _certificate(self, index: int, bits: int) -> CertificateFacts | None:
        not_before = instant(self._columns["certificate_not_before"][index])
        not_after = instant(self._columns["certificate_not_after"][index])
        if not_before is None or not_after is None:
            return None
        authority = self._authority.get(self._columns["generation"][index])
        return CertificateFacts(
            validity=Validity(not_before=not_before, not_after=not_after),
            # An issuer that the agent does not list cannot limit anything; whether it is trusted is the flag's to say.
            authority_not_after=NO_END if authority is None else authority.validity.not_after,
            is_trusted=not bits & _CERTIFICATE_UNTRUSTED and (authority is None or authority.is_trusted),
            is_revoked=bool(bits & _CERTIFICATE_REVOKED),
        )

    def _token(self, index: int, bits: int) -> TokenFacts:
        if bits & _TOKEN_EMPTY:
            return TokenFacts(standing=TokenStanding.EMPTY)
        expires_at = instant(self._columns["token_expires_at"][index])
        if bits & _TOKEN_UNKNOWN or expires_at is None:
            return TokenFacts(standing=TokenStanding.UNKNOWN)
        issued_at = instant(self._columns["token_issued_at"][index])
        return TokenFacts(standing=TokenStanding.KNOWN, issued_at=issued_at, expires_at=expires_at)

    def planned_off_until(self, index: int) -> datetime | None:
        """The later of the client's own instant and its cluster's."""
        own = instant(self._columns["planned_off_until"][index])
        cluster = self._off.get(self.text("cluster", index)) if self._off else None
        if own is None or cluster is None:
            return own or cluster
        return max(own, cluster)
