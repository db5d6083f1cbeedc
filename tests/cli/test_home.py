"""`mocdeck --plain` and `--json`: the first screen without a screen, for scripts and for people who listen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import yaml
from click.testing import Result

from tests.cli.test_start import fresh, loaded

Mocdeck = Callable[..., Result]


def test_it_prints_one_line_a_client_under_one_line_of_titles_and_ends_like_status(operator: Mocdeck) -> None:
    result = operator("--plain")
    head, blank, titles, *rows = result.stdout.splitlines()
    assert "bonn" in head
    assert "5 clients" in head
    assert "CA g1" in head
    assert blank == ""
    assert re.split(r"  +", titles)[:4] == ["SEVERITY", "STATE", "CERT LEFT", "TOKEN LEFT"]
    assert len(rows) == 5
    assert rows[0].startswith("expired")
    assert "locked-kms" in rows[0]
    assert result.exit_code == operator("status").exit_code == 2


def test_plain_is_text_and_nothing_else(operator: Mocdeck) -> None:
    text = operator("--plain", TERM="xterm-256color").stdout
    assert text.isascii()
    assert text.replace("\n", "").isprintable()


def test_json_has_the_rows_in_the_same_order_and_the_words_of_the_screen(operator: Mocdeck) -> None:
    document = json.loads(operator("--json").stdout)
    rows = operator("--plain").stdout.splitlines()[3:]
    assert document["schema"] == "mocdeck.home/1"
    assert document["count"] == len(document["items"]) == 5
    for item, row in zip(document["items"], rows, strict=True):
        assert re.split(r"  +", row)[6] == item["name"] == item["shown"]["client"]
        assert re.split(r"  +", row)[1] == item["shown"]["state"]
    (context,) = document["contexts"]
    assert (context["reachable"], context["total"], context["shown"]) == (True, 5, 5)
    assert sum(context["severities"].values()) == 5


def test_the_filter_is_the_screen_s_and_a_mistake_in_it_asks_nobody(operator: Mocdeck, mocdeck: Mocdeck) -> None:
    document = json.loads(operator("--json", "--filter", "kind:kms").stdout)
    assert [item["name"] for item in document["items"]] == ["locked-kms"]
    assert document["filter"] == "kind:kms"
    assert document["contexts"][0]["total"] == 5
    assert "No client to show." in operator("--plain", "--filter", "cluster:nowhere").stdout
    assert mocdeck("--plain", "--filter", "colour:red").exit_code == 64


def test_of_all_contexts_one_that_is_away_is_named_and_the_others_are_shown(operator: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "home" / "config" / "config.yaml"
    values = yaml.safe_load(path.read_text())
    (known,) = values["contexts"]
    values["contexts"].append({**known, "name": "gone", "port": 1, "auth_port": 1})
    path.write_text(yaml.safe_dump(values))
    result = operator("--plain", "--all-contexts")
    assert result.exit_code == 2
    assert "gone  NO AGENT at 127.0.0.1:1" in result.stdout
    assert "mocdeck: context gone:" in result.stderr
    assert "SITE" in result.stdout
    result = operator("--json", "--all-contexts", "--filter", "name:admin")
    assert result.exit_code == 3, result.stderr
    document = json.loads(result.stdout)
    assert [one["reachable"] for one in document["contexts"]] == [True, False]
    assert {item["context"] for item in document["items"]} == {"bonn"}
    assert operator("--json", "--all-contexts", "--filter", "name:admin").exit_code == 3, "unknown beats well"


def test_an_agent_that_is_away_is_an_error_of_the_only_context(operator: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "home" / "config" / "config.yaml"
    values = yaml.safe_load(path.read_text())
    values["contexts"][0] |= {"port": 1, "auth_port": 1}
    path.write_text(yaml.safe_dump(values))
    assert operator("--plain").exit_code == 69
    assert operator("--json").stdout == ""


def test_options_that_would_do_nothing_are_refused(operator: Mocdeck) -> None:
    assert operator("--plain", "status").exit_code == 64
    assert operator("--filter", "kms").exit_code == 64
    assert operator("--all-contexts").exit_code == 64


def test_neither_screen_library_is_loaded(operator: Mocdeck, tmp_path: Path) -> None:
    for form in ("--plain", "--json"):
        result = fresh(form, MOCDECK_HOME=str(tmp_path / "home"))
        assert result.returncode == 2, result.stderr
        assert "locked-kms" in result.stdout
        assert not loaded(result) & {"textual", "rich", "sqlalchemy", "alembic", "tui", "backend.server"}


def test_a_recording_goes_with_the_dashboard_and_with_nothing_else(operator: Mocdeck, tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    tape.write_text("x")
    for words in (
        ("--replay", tape, "--write"),
        ("--replay", tape, "--record", tmp_path / "new"),
        ("--replay", tape, "status"),
        ("--record", tmp_path / "new", "--plain"),
        ("--replay", tmp_path / "missing"),
        ("--replay", tape),  # no terminal here
        ("demo", "--headless", "--record", tmp_path / "new"),
    ):
        assert operator(*words).exit_code == 64, words
    assert not (tmp_path / "new").exists()
