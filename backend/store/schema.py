"""Schema versions: which one a file has, whether this program may touch it, and bringing it up to date.

The common case (the file is up to date) is settled by one query; Alembic is loaded only for an upgrade. Upgrades run
inside the transaction that is handed in, so one that fails leaves the file as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from backend.store.errors import StoreDamaged, StoreTooNew

NEWEST: Final = "0006"  # the newest version in `migrations/versions`
_VERSIONS: Final = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, path: Path) -> None:
    """Bring the schema to `NEWEST`.

    Raises:
        StoreTooNew: a newer program has upgraded it.
        StoreDamaged: it is some other program's database.
    """
    version = version_of(connection, path)
    if version == NEWEST:
        return
    if version > NEWEST:
        raise StoreTooNew(path, version, NEWEST)
    _run_migrations(connection)


def version_of(connection: Connection, path: Path) -> str:
    """Return the schema version; "" of an empty file."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return ""
    if "alembic_version" not in tables:
        raise StoreDamaged(path, "it is a database of another program")
    versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    if len(versions) != 1 or not (len(versions[0]) == len(NEWEST) and versions[0].isdecimal()):
        raise StoreDamaged(path, f"its schema version is {', '.join(map(repr, versions)) or 'missing'}")
    return str(versions[0])


def _run_migrations(connection: Connection) -> None:
    from alembic.operations import Operations  # a tenth of a second that most starts do not owe
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(_VERSIONS))

    def steps(present: Any, _context: Any) -> Any:
        return script._upgrade_revs(NEWEST, present)  # the one way to the steps without a project's env.py

    context = MigrationContext.configure(connection, opts={"fn": steps, "script": script})
    with Operations.context(context):
        context.run_migrations()
