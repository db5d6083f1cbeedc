"""From a context's name to the dashboard: what is said when it cannot be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.client.contexts import Context, Contexts, find_places, write_contexts
from backend.core.errors import NotFound
from scripts.stage.drive import stage
from tui.__main__ import run_dashboard


def test_without_a_context_the_sentence_says_how_to_add_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="mocdeck login"):
        run_dashboard(environment={"MOCDECK_HOME": str(tmp_path)})


def test_without_a_terminal_it_refuses_before_it_connects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"MOCDECK_HOME": str(tmp_path)}
    places = find_places(environment)
    site = Context(name="bonn", address="agent.invalid", cloudconfig=tmp_path / "cloudconfig")
    write_contexts(places.config_file, Contexts().put(site))
    assert run_dashboard("bonn", environment=environment) == 64
    assert "mocdeck --plain" in capsys.readouterr().err


async def test_a_second_that_passes_on_the_way_out_draws_nothing_and_harms_nothing() -> None:
    async with stage() as made:
        app = made.app
    app.tick()
    app.notice("too late")
    assert app.return_code in {0, None}
