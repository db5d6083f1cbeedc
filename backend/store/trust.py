"""Rows of CA generations, trust bundle epochs with their signatures, and cross certificates.

The schema refuses a second issuing generation and an epoch that does not grow. Every client's standing hangs on these
rows, so each write to those two sends the fleet's readers back to the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from backend.core.errors import NotFound
from backend.core.model import Authority, AuthorityStatus, Bundle
from backend.store.changes import SqlChanges
from backend.store.codec import Codec
from backend.store.records import CrossCertificate, SignedStatement
from backend.store.tables import authorities, bundle_statements, bundles, cross_certificates
from backend.store.work import Work

_AUTHORITY = Codec(Authority, authorities)
_ADD = insert(authorities).values({name: bindparam(name) for name in _AUTHORITY.names})
_ALL = select(*_AUTHORITY.columns).order_by(authorities.c.generation)
_GET = select(*_AUTHORITY.columns).where(authorities.c.generation == bindparam("generation"))
_SET_STATUS = (
    update(authorities)
    .where(authorities.c.generation == bindparam("key"), authorities.c.status != bindparam("wanted"))
    .values(status=bindparam("wanted"))
)

_BUNDLE = Codec(Bundle, bundles)
_ADD_BUNDLE = insert(bundles).values({name: bindparam(name) for name in _BUNDLE.names})
_CURRENT = select(*_BUNDLE.columns).order_by(bundles.c.epoch.desc()).limit(1)
_SINCE = select(*_BUNDLE.columns).where(bundles.c.epoch >= bindparam("first")).order_by(bundles.c.epoch)

_STATEMENT = Codec(SignedStatement, bundle_statements)
_ADD_STATEMENT = insert(bundle_statements).values({name: bindparam(name) for name in _STATEMENT.names})
_FIND_STATEMENT = select(*_STATEMENT.columns).where(bundle_statements.c.epoch == bindparam("which"))
_STATEMENTS_SINCE = (
    select(*_STATEMENT.columns)
    .where(bundle_statements.c.epoch >= bindparam("first"))
    .order_by(bundle_statements.c.epoch)
)

_CROSS = Codec(CrossCertificate, cross_certificates)
_ADD_CROSS = insert(cross_certificates).values({name: bindparam(name) for name in _CROSS.names})
_ALL_CROSS = select(*_CROSS.columns).order_by(
    cross_certificates.c.subject_generation, cross_certificates.c.issuer_generation
)
_FIND_CROSS = select(*_CROSS.columns).where(
    cross_certificates.c.subject_generation == bindparam("subject"),
    cross_certificates.c.issuer_generation == bindparam("issuer"),
)


class SqlAuthorities:
    """`port.Authorities` over one transaction, which alone can write: what it read once it need not read again.

    Every call asks several times which generations there are.
    """

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes
        self._known: Sequence[Authority] | None = None

    def add(self, authority: Authority) -> None:
        """Take in a new generation."""
        taken = (
            f"CA generation {authority.generation} exists already"
            if self._work.row(_GET, {"generation": authority.generation}) is not None
            else "another CA generation is issuing; only one may"
        )
        self._work.write(_ADD, _AUTHORITY.to_row(authority), taken=taken)
        self._known = None
        self._changes.touch_all()

    def get(self, generation: int) -> Authority:
        """Return one generation; raise `NotFound`."""
        for authority in self.all():
            if authority.generation == generation:
                return authority
        raise NotFound(f"there is no CA generation {generation}")

    def all(self) -> Sequence[Authority]:
        """Return every generation, ascending."""
        if self._known is None:
            self._known = tuple(_AUTHORITY.from_row(row) for row in self._work.rows(_ALL))
        return self._known

    def issuing(self) -> Authority:
        """Return the one that issues; raise `NotFound` while none does."""
        for authority in self.all():
            if authority.status is AuthorityStatus.ISSUING:
                return authority
        raise NotFound("no CA generation is issuing")

    def undone(self) -> None:
        """A part was rolled back, perhaps with a change of a generation in it: read them again."""
        self._known = None

    def set_status(self, generation: int, status: AuthorityStatus) -> None:
        """Move a generation to another status; the present one again is no change."""
        values = {"key": generation, "wanted": status.value}
        if self._work.write(_SET_STATUS, values, taken="another CA generation is issuing; only one may"):
            self._known = None
            self._changes.touch_all()
        else:
            self.get(generation)


class SqlBundles:
    """`port.Bundles` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, bundle: Bundle) -> None:
        """Append the next epoch.

        Raises:
            InconsistentState: it does not grow.
        """
        self._work.write(_ADD_BUNDLE, _BUNDLE.to_row(bundle))
        self._changes.touch_all()

    def current(self) -> Bundle:
        """Return the newest epoch; raise `NotFound` before the first."""
        row = self._work.row(_CURRENT)
        if row is None:
            raise NotFound("no trust bundle has been published")
        return _BUNDLE.from_row(row)

    def since(self, epoch: int) -> Sequence[Bundle]:
        """Return that epoch and all later ones, ascending."""
        return [_BUNDLE.from_row(row) for row in self._work.rows(_SINCE, {"first": epoch})]


class SqlStatements:
    """`port.Statements` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, statement: SignedStatement) -> None:
        """Keep an epoch's signatures.

        Raises:
            InconsistentState: a later epoch, or this one, is signed already.
        """
        self._work.write(_ADD_STATEMENT, _STATEMENT.to_row(statement))

    def find(self, epoch: int) -> SignedStatement | None:
        """Return an epoch's signatures, if it has any."""
        row = self._work.row(_FIND_STATEMENT, {"which": epoch})
        return None if row is None else _STATEMENT.from_row(row)

    def since(self, epoch: int) -> Sequence[SignedStatement]:
        """Return those of that epoch and of all later ones, ascending."""
        return [_STATEMENT.from_row(row) for row in self._work.rows(_STATEMENTS_SINCE, {"first": epoch})]


class SqlCrossCertificates:
    """`port.CrossCertificates` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, certificate: CrossCertificate) -> None:
        """Keep a cross certificate; a second one of the same pair is refused (`AlreadyExists`)."""
        taken = (
            f"CA generation {certificate.issuer_generation} vouches for generation "
            f"{certificate.subject_generation} already"
        )
        self._work.write(_ADD_CROSS, _CROSS.to_row(certificate), taken=taken)

    def find(self, subject_generation: int, issuer_generation: int) -> CrossCertificate | None:
        """Return the certificate of that pair, if it was made."""
        row = self._work.row(_FIND_CROSS, {"subject": subject_generation, "issuer": issuer_generation})
        return None if row is None else _CROSS.from_row(row)

    def all(self) -> Sequence[CrossCertificate]:
        """Return all of them, by subject and issuer."""
        return [_CROSS.from_row(row) for row in self._work.rows(_ALL_CROSS)]
