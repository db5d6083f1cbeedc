"""Rows of client certificates and identity tokens.

Certificates are never removed, and one is taken in only under the generation that is issuing: the schema refuses any
other. Of a token there is an id and a digest, nothing that signs in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy import ColumnElement, Table, bindparam, insert, literal_column, select, update

from backend.core.errors import NotFound
from backend.core.model import Certificate, RevokeReason, Token
from backend.store.changes import SqlChanges
from backend.store.codec import Codec, to_hex, to_seconds
from backend.store.tables import certificates, identities, tokens
from backend.store.work import Work

_CERTIFICATE = Codec(Certificate, certificates)
_NEWEST_FIRST = (certificates.c.issued_at.desc(), certificates.c.position.desc())
_ADD = insert(certificates).values({name: bindparam(name) for name in _CERTIFICATE.names})
_FIND = select(*_CERTIFICATE.columns).where(certificates.c.serial == bindparam("serial"))
_OF = (
    select(*_CERTIFICATE.columns).where(certificates.c.identity_number == bindparam("number")).order_by(*_NEWEST_FIRST)
)
_BY_KEY = (
    select(*_CERTIFICATE.columns).where(certificates.c.key_sha256 == bindparam("key_sha256")).order_by(*_NEWEST_FIRST)
)


def _newest(table: Table, condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """Make the position of an identity's newest row in `table`: one index step for each identity."""
    rows = table.alias("newest")
    chosen = select(rows.c.position).where(rows.c.identity_number == identities.c.number)
    if condition is not None:
        chosen = chosen.where(condition)
    chosen = chosen.order_by(rows.c.issued_at.desc(), rows.c.position.desc()).limit(1)
    return chosen.correlate(identities).scalar_subquery()


_IS_USED: ColumnElement[bool] = literal_column("newest.first_used_at IS NOT NULL")
_IS_CURRENT: ColumnElement[bool] = literal_column("newest.state = 'current'")  # literal, to fit the partial index
_FLEET = (
    select(*_CERTIFICATE.columns)
    .select_from(
        identities.join(
            certificates, certificates.c.position.in_([_newest(certificates), _newest(certificates, _IS_USED)])
        )
    )
    .order_by(identities.c.number, *_NEWEST_FIRST)
)
_FLEET_SOME = _FLEET.where(identities.c.number.in_(bindparam("numbers", expanding=True)))

_FIRST_USE = (
    update(certificates)
    .where(certificates.c.serial == bindparam("key"), certificates.c.first_used_at.is_(None))
    .values(first_used_at=bindparam("at"), last_used_at=bindparam("at"))
    .returning(certificates.c.identity_number)
)
_USE = update(certificates).where(certificates.c.serial == bindparam("key")).values(last_used_at=bindparam("at"))
_REVOKE = update(certificates).values(revoked_at=bindparam("at"), revoke_reason=bindparam("why"))
_REVOKE_ONE = _REVOKE.where(certificates.c.serial == bindparam("key"), certificates.c.revoked_at.is_(None)).returning(
    certificates.c.identity_number
)
_REVOKE_OF = _REVOKE.where(certificates.c.identity_number == bindparam("number"), certificates.c.revoked_at.is_(None))
_REVOKE_GENERATION = _REVOKE.where(
    certificates.c.generation == bindparam("number"),
    certificates.c.revoked_at.is_(None),
    certificates.c.not_after >= bindparam("at"),  # its last second is still valid
)
_RESTORE_GENERATION = (
    update(certificates)
    .where(certificates.c.generation == bindparam("number"), certificates.c.revoke_reason == bindparam("why"))
    .values(revoked_at=None, revoke_reason=None)
)
_TOKEN = Codec(Token, tokens)
_ADD_TOKEN = insert(tokens).values({name: bindparam(name) for name in _TOKEN.names})
_PUT_TOKEN = (
    update(tokens).where(tokens.c.id == bindparam("key")).values({name: bindparam(name) for name in _TOKEN.names})
)
_FIND_TOKEN = select(*_TOKEN.columns).where(tokens.c.id == bindparam("id"))
_TOKENS_OF = (
    select(*_TOKEN.columns)
    .where(tokens.c.identity_number == bindparam("number"))
    .order_by(tokens.c.issued_at.desc(), tokens.c.position.desc())
)
_CURRENT_TOKENS = (
    select(*_TOKEN.columns)
    .select_from(identities.join(tokens, tokens.c.identity_number == identities.c.number))
    .where(tokens.c.position == _newest(tokens, _IS_CURRENT))
    .order_by(identities.c.number)
)
# Whole numbers, so that the second at which a token is due is exact; read every second, so only the due leave SQL.
_DUE_TOKENS = (
    select(*_TOKEN.columns)
    .select_from(identities.join(tokens, tokens.c.identity_number == identities.c.number))
    .where(
        literal_column("tokens.state = 'current'"),
        (tokens.c.expires_at - bindparam("now")) * bindparam("whole")
        <= (tokens.c.expires_at - tokens.c.issued_at) * bindparam("part"),
        tokens.c.position == _newest(tokens, _IS_CURRENT),
    )
    .order_by(identities.c.number)
)
_CURRENT_TOKENS_SOME = _CURRENT_TOKENS.where(identities.c.number.in_(bindparam("numbers", expanding=True)))


class SqlCertificates:
    """`port.Certificates` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, certificate: Certificate) -> None:
        """Take in a new one; its serial must be new and its generation the issuing one."""
        serial = to_hex(certificate.serial)
        self._work.write(
            _ADD, _CERTIFICATE.to_row(certificate), taken=f"a certificate with serial {serial} exists already"
        )
        self._changes.touch(certificate.identity_number)

    def find(self, serial: int) -> Certificate | None:
        """Return the one with that serial, if any."""
        row = self._work.row(_FIND, {"serial": to_hex(serial)})
        return None if row is None else _CERTIFICATE.from_row(row)

    def of(self, identity_number: int) -> Sequence[Certificate]:
        """Return all of one identity, newest first."""
        return [_CERTIFICATE.from_row(row) for row in self._work.rows(_OF, {"number": identity_number})]

    def for_fleet(self, numbers: Iterable[int] | None) -> Iterator[Certificate]:
        """Return per identity the newest, and the newest that was used (once, when they are the same)."""
        rows = self._work.rows(_FLEET) if numbers is None else self._work.rows_for(_FLEET_SOME, numbers)
        return map(_CERTIFICATE.from_row, rows)

    def find_by_key(self, key_sha256: str) -> Sequence[Certificate]:
        """Return certificates over the same public key, newest first."""
        return [_CERTIFICATE.from_row(row) for row in self._work.rows(_BY_KEY, {"key_sha256": key_sha256})]

    def mark_used(self, serial: int, at: datetime) -> None:
        """Record a use; only the first one changes what the fleet view shows."""
        values = {"key": to_hex(serial), "at": to_seconds(at)}
        first = self._work.row(_FIRST_USE, values)
        if first is not None:
            self._changes.touch(first[0])
        elif not self._work.write(_USE, values):
            raise NotFound(f"there is no certificate with serial {to_hex(serial)}")

    def revoke(self, serial: int, at: datetime, reason: RevokeReason) -> None:
        """Revoke one; what was revoked before keeps its instant and reason."""
        values = {"key": to_hex(serial), "at": to_seconds(at), "why": reason.value}
        revoked = self._work.row(_REVOKE_ONE, values)
        if revoked is not None:
            self._changes.touch(revoked[0])
        elif self.find(serial) is None:
            raise NotFound(f"there is no certificate with serial {to_hex(serial)}")

    def revoke_of(self, identity_number: int, at: datetime, reason: RevokeReason) -> int:
        """Revoke every unrevoked one of an identity; return how many."""
        values = {"number": identity_number, "at": to_seconds(at), "why": reason.value}
        count = self._work.write(_REVOKE_OF, values)
        if count:
            self._changes.touch(identity_number)
        return count

    def revoke_generation(self, generation: int, at: datetime) -> int:
        """Revoke what still counts of a generation, because of its distrust; return how many."""
        values = {"number": generation, "at": to_seconds(at), "why": RevokeReason.ROTATION.value}
        count = self._work.write(_REVOKE_GENERATION, values)
        if count:
            self._changes.touch_all()
        return count

    def restore_generation(self, generation: int) -> int:
        """Let count again what was revoked because of the generation's distrust; return how many."""
        count = self._work.write(_RESTORE_GENERATION, {"number": generation, "why": RevokeReason.ROTATION.value})
        if count:
            self._changes.touch_all()
        return count


class SqlTokens:
    """`port.Tokens` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, token: Token) -> None:
        """Take in a new record."""
        self._work.write(_ADD_TOKEN, _TOKEN.to_row(token), taken=f"a token with id {token.id} exists already")
        self._changes.touch(token.identity_number)

    def put(self, token: Token) -> None:
        """Overwrite the record with that id."""
        if not self._work.write(_PUT_TOKEN, _TOKEN.to_row(token) | {"key": token.id}):
            raise NotFound(f"there is no token with id {token.id}")
        self._changes.touch(token.identity_number)

    def find(self, token_id: str) -> Token | None:
        """Return the record with that id, if any."""
        row = self._work.row(_FIND_TOKEN, {"id": token_id})
        return None if row is None else _TOKEN.from_row(row)

    def of(self, identity_number: int) -> Sequence[Token]:
        """Return all records of one identity, newest first."""
        return [_TOKEN.from_row(row) for row in self._work.rows(_TOKENS_OF, {"number": identity_number})]

    def due(self, now: datetime, left: Fraction) -> Sequence[Token]:
        """Return the newest CURRENT records that have at most the share `left` of their lifetime to go at `now`."""
        values = {"now": to_seconds(now), "part": left.numerator, "whole": left.denominator}
        return [_TOKEN.from_row(row) for row in self._work.rows(_DUE_TOKENS, values)]

    def current(self, numbers: Iterable[int] | None) -> Iterator[Token]:
        """Return the newest CURRENT record of each identity that has one."""
        rows = (
            self._work.rows(_CURRENT_TOKENS) if numbers is None else self._work.rows_for(_CURRENT_TOKENS_SOME, numbers)
        )
        return map(_TOKEN.from_row, rows)
