"""A client loads no server: proved in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

FORBIDDEN = (
    "backend.server", "backend.service", "backend.store", "backend.pki.issue", "backend.pki.vault", "backend.demo",
    "sqlalchemy", "alembic", "textual", "tui",
)  # fmt: skip

PROGRAM = """
import importlib, pkgutil, sys
import backend.client
for module in pkgutil.iter_modules(backend.client.__path__):
    importlib.import_module(f"backend.client.{module.name}")
print("\\n".join(sys.modules))
"""


def test_importing_the_whole_client_brings_in_no_store_no_issuing_and_no_screen() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    loaded = found.stdout.split()
    assert "backend.client.operator" in loaded
    assert [name for name in loaded if name.startswith(FORBIDDEN)] == []
