"""The dashboard on a staged agent, started as a program of its own by the tests of the safety net.

`crash` as first argument makes a key raise with secrets in its locals and in its message.
"""

from __future__ import annotations

import sys
from pathlib import Path

from backend.clock import SystemClock
from tests.tui.staged_agent import StagedAgent
from tui.app import MocdeckApp, run

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJuYW1lIjoiY2FuYXJ5In0.c2lnbmF0dXJlLWNhbmFyeQ"


def crash(_: MocdeckApp) -> None:
    """Fail while a token is at hand."""
    token = TOKEN
    raise RuntimeError(f"could not read {token}")


if sys.argv[1] == "crash":
    setattr(MocdeckApp, "cmd_reload", crash)  # noqa: B010 - one handler is made to fail
sys.exit(run(StagedAgent(), SystemClock(), write=True, state_dir=Path(sys.argv[2])))
