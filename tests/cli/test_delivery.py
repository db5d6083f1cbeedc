"""`mocdeck delivery`: by which way a login file reaches a client, and what a look at its places finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Mocdeck = Callable[..., Result]


def made(operator: Mocdeck, path: Path, name: str, out: Path) -> str:
    """A client whose login file is kept at `path`; returns its name."""
    arguments = ["--kind", "csi", "--cluster", "wl-1", "--login-file-path", path, "--out", out, "--yes"]
    result = operator("identity", "create", name, *arguments)
    assert result.exit_code == 0, result.stderr
    return name


def test_a_probe_looks_and_a_list_shows_what_it_found(operator: Mocdeck, tmp_path: Path) -> None:
    name = made(operator, tmp_path / "kept.yaml", "probed-csi", tmp_path / "first.yaml")
    listed = json.loads(operator("delivery", "list", name, "-o", "json").stdout)
    assert listed["schema"] == "mocdeck.delivery/1"
    assert listed["clients"][0]["places"][0]["state"] == "unknown"
    result = operator("delivery", "probe", name, "-o", "json")
    assert result.exit_code == 0, result.stderr
    [client] = json.loads(result.stdout)["clients"]
    assert (client["name"], client["route"]) == (name, "file")
    [place] = client["places"]
    assert (place["route"], place["place"], place["state"]) == ("file", str(tmp_path / "kept.yaml"), "ready")
    assert place["looked_at"]
    assert "can be written" in operator("delivery", "list", name).stdout
    described = json.loads(operator("describe", name, "-o", "json").stdout)
    assert described["places"] == [place]
    assert not (tmp_path / "kept.yaml").exists()


def test_a_place_that_cannot_be_used_is_said_and_a_plan_does_not_count_on_it(operator: Mocdeck, tmp_path: Path) -> None:
    name = made(operator, tmp_path / "none" / "kept.yaml", "homeless-csi", tmp_path / "first.yaml")
    result = operator("delivery", "probe", name)
    assert result.exit_code == 4
    assert "missing" in result.stdout
    wish = ["--force", "--reason", "drill", "--dry-run"]
    planned = json.loads(operator("rotate-token", name, *wish, "-o", "json").stdout)
    [target] = planned["targets"]
    assert target["route"] == "manual"
    assert "does not exist" in target["route_why"]
    assert "looked at" in operator("rotate-token", name, *wish).stdout


def test_a_client_that_is_not_there_is_named(operator: Mocdeck) -> None:
    result = operator("delivery", "probe", "nobody-here")
    assert result.exit_code == 66
    assert "nobody-here" in result.stderr
