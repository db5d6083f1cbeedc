"""The export of a view: its rows and its filter, private to its owner, harmless, and allowed in read-only mode."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from backend.core.filter import parse
from tests.tui.staged_agent import DAY, HOSTILE, SEEDS, Seed, StagedAgent
from tests.tui.staged_alerts import FOUND
from tui.app import MocdeckApp

MakeApp = Callable[..., MocdeckApp]
SECRETS = re.compile(r"-----BEGIN|eyJ[A-Za-z0-9_-]{10,}|PRIVATE KEY")


def written(state: Path) -> Path:
    (path,) = (state / "exports").iterdir()
    return path


@pytest.mark.parametrize(("key", "suffix"), [("c", "csv"), ("j", "json"), ("m", "md")])
async def test_the_list_is_written_with_its_filter_and_order_and_nothing_is_asked(
    make_app: MakeApp, agent: StagedAgent, tmp_path: Path, key: str, suffix: str
) -> None:
    app = make_app(write=False, simulated=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.model.choose_filter("cluster:bonn-mgmt", parse("cluster:bonn-mgmt"), app.clock.monotonic())
        order = [client.row.name for number in app.model.order if (client := app.model.find(number))]
        await pilot.press("e", key)
        await app.settled()
        path = written(tmp_path)
        assert path.name == f"fleet-20261122T165214Z.{suffix}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert str(path)[:40] in app.notice_text
        assert f"{len(order)} rows" in app.notice_text
    text = path.read_text()
    assert "2026-11-22T16:52:14Z" in text
    assert "cluster:bonn-mgmt" in text
    assert "SIMULATED" in text or '"simulated": true' in text
    if suffix == "csv":
        assert [row["client"] for row in csv.DictReader(io.StringIO(text))] == order
    elif suffix == "json":
        assert [item["name"] for item in json.loads(text)["items"]] == order
    assert agent.asked == []


@pytest.mark.parametrize(
    ("view", "kind", "rows"),
    [("3", "clusters", 4), ("5", "operations", 1), ("6", "audit", 3), ("7", "forecast", 4), ("8", "alerts", 3)],
)
async def test_every_view_has_as_many_rows_in_its_file_as_on_the_screen(
    make_app: MakeApp, agent: StagedAgent, tmp_path: Path, view: str, kind: str, rows: int
) -> None:
    agent.alerts_kept = FOUND
    app = make_app()
    async with app.run_test(size=(80, 40)) as pilot:
        await app.settled()
        await pilot.press(view)
        await app.settled()
        deck = app.deck
        assert len(deck.rows(deck.view())) == rows  # type: ignore[attr-defined]
        await pilot.press("e", "j")
        await app.settled()
    document = json.loads(written(tmp_path).read_text())
    assert document["schema"] == f"mocdeck.{kind}/1"
    assert (document["count"], len(document["items"])) == (rows, rows)


async def test_a_client_s_page_is_one_row(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("d", "e", "c")
        await app.settled()
    assert len(list(csv.DictReader(io.StringIO(written(tmp_path).read_text())))) == 1


@pytest.mark.parametrize("key", ["c", "j", "m"])
async def test_hostile_names_command_neither_spreadsheet_nor_terminal(
    make_app: MakeApp, tmp_path: Path, key: str
) -> None:
    names = (*HOSTILE, "=cmd|' /C calc'!A0", "+1", "a|b", "@SUM(A1)")
    app = make_app(gateway=StagedAgent([*SEEDS, *(Seed(name=name, left=9 * DAY, token=DAY) for name in names)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("e", key)
        await app.settled()
    text = written(tmp_path).read_text()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert SECRETS.search(text) is None
    if key == "c":
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@")) or cell == "+1"]


async def test_a_state_directory_that_takes_nothing_is_named(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("in the way")
    app = make_app()
    async with app.run_test(size=(120, 24)) as pilot:
        await app.settled()
        await pilot.press("e", "c")
        await app.settled()
        assert app.notice_text.startswith("export: nothing was written to")


async def test_the_screen_as_a_picture_is_self_contained_and_says_when_and_where_it_was_seen(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(simulated=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.model.choose_filter("kms <x>", None, app.clock.monotonic())
        await pilot.press("e", "s")
        await app.settled()
    path = written(tmp_path)
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    description = root.findtext("{http://www.w3.org/2000/svg}desc")
    assert description is not None
    assert "SIMULATED; observed 2026-11-22T16:52:14Z" in description
    assert "filter kms <x>" in description
    assert "kms-007" in text
    assert "export" not in text, "the menu does not lie over the picture"
    assert not re.search(r"https?://(?!www\.w3\.org/)|@font-face|<script", text)


async def test_the_list_as_a_calendar_has_what_the_filter_shows(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.model.choose_filter("cluster:bonn-mgmt", parse("cluster:bonn-mgmt"), app.clock.monotonic())
        await pilot.press("e", "i")
        await app.settled()
    path = written(tmp_path)
    assert path.name == "fleet-20261122T165214Z.ics"
    text = path.read_bytes().decode()
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert set(re.findall(r"\r\nCATEGORIES:(.*)\r\n", text)) == {"bonn-mgmt"}
    assert len(re.findall("BEGIN:VEVENT", text)) == len(set(re.findall(r"SUMMARY:.* in week (\d+)", text)))


async def test_a_view_without_dates_says_why_it_makes_no_calendar(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("6", "e", "i")
        await app.settled()
        assert "only a list of clients has dates" in app.notice_text
    assert not (tmp_path / "exports").exists()


async def test_a_report_holds_the_view_the_screen_and_the_audit_and_no_secret(
    make_app: MakeApp, agent: StagedAgent, tmp_path: Path
) -> None:
    app = make_app(write=False)
    async with app.run_test(size=(140, 40)) as pilot:
        await app.settled()
        rows = len(app.model.order)
        await pilot.press("colon", *"report", "enter")
        await app.settled()
        assert app.notice_text.startswith(f"report: {rows} rows, the screen and ")
    (folder,) = (tmp_path / "reports").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: path for path in folder.iterdir()}
    assert set(files) == {"fleet.csv", "screen.svg", "audit.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
    assert len(files["fleet.csv"].read_text().splitlines()) == rows + 1
    assert json.loads(files["audit.json"].read_text())["schema"] == "mocdeck.audit/1"
    assert not [path for path in files.values() if SECRETS.search(path.read_text())]
    assert agent.asked == []


async def test_while_the_agent_is_away_a_report_has_what_was_heard(
    make_app: MakeApp, agent: StagedAgent, tmp_path: Path
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        events = len(app.audit)
        agent.reachable = False
        app.cmd_report()
        await app.settled()
    (folder,) = (tmp_path / "reports").iterdir()
    assert json.loads((folder / "audit.json").read_text())["count"] == events > 0
