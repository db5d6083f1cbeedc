"""The dashboard on a staged agent with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.clock import ManualClock
from tests.tui.staged_agent import NOW, StagedAgent
from tui.app import MocdeckApp


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def agent() -> StagedAgent:
    return StagedAgent()


MakeApp = Callable[..., MocdeckApp]


@pytest.fixture
def make_app(agent: StagedAgent, clock: ManualClock, tmp_path: Path) -> MakeApp:
    """Build the app on the staged agent; ASCII, without colours that depend on this terminal."""

    def make(**options: Any) -> MocdeckApp:
        settings: dict[str, Any] = {"write": True, "ascii_only": True, "state_dir": tmp_path, "true_colour": True}
        return MocdeckApp(options.pop("gateway", agent), clock, **(settings | options))

    return make


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLORTERM", "TMUX"):
        monkeypatch.delenv(name, raising=False)
