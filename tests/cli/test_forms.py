"""What is printed: hostile names stay harmless, durations are read exactly, the README's block is checked."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.cli.fleetforms import FORMS
from backend.cli.fleetreport import Report, Selection, make_report
from backend.core.delta import ClientColumns, FleetDelta, unix
from backend.core.durations import parse_duration
from backend.core.fleet import FleetColumns

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def report(*names: str, simulated: bool = False) -> Report:
    """A fleet of clients with these names and nothing else."""
    count = len(names)
    ends = [unix(NOW + timedelta(days=80))] * count
    begins = [unix(NOW - timedelta(days=10))] * count
    zero = [0] * count
    columns = ClientColumns(
        number=list(range(1, count + 1)),
        name=list(range(count)),
        kind=[count] * count,
        cluster=[count + 1] * count,
        host=[count + 1] * count,
        owner=[count + 1] * count,
        certificate_not_before=begins,
        certificate_not_after=ends,
        generation=zero,
        serial_low=zero,
        used_serial_low=zero,
        token_issued_at=begins,
        token_expires_at=ends,
        last_seen_at=zero,
        heartbeat_at=zero,
        heartbeat_interval=zero,
        skew=zero,
        flags=zero,
        planned_off_until=zero,
        activity=[count + 1] * count,
    )
    fleet = FleetColumns()
    fleet.apply(
        FleetDelta(
            change=1,
            agent_time=unix(NOW),
            full=True,
            last=True,
            deployment="bonn",
            names=[*names, "CSI", ""],
            clients=columns,
            simulated=simulated,
        )
    )
    return make_report(fleet, address="a:1", selection=Selection())


@pytest.mark.parametrize("name", ["=1+2", "+1", "-1", "@SUM(A1)", " =1", "\uff1d1"])
def test_a_spreadsheet_takes_no_name_for_a_formula(name: str) -> None:
    (row,) = csv.DictReader(io.StringIO(FORMS["csv"](report(name))))
    assert row["client"].startswith("'")
    assert row["certificate_seconds_left"] == str(80 * 86400), "numbers stay numbers"


@pytest.mark.parametrize("form", list(FORMS))
def test_no_form_lets_a_name_command_the_terminal(form: str) -> None:
    shown = FORMS[form](report("evil\x1b]0;x\x07", "evil\u202etxt", "two\nlines"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "two\nlines" not in shown


def test_markdown_cells_stay_cells() -> None:
    shown = FORMS["markdown"](report("a|b", "[x](http://y)"))
    assert "a\\|b" in shown
    assert "\\[x\\](http://y)" in shown


@pytest.mark.parametrize("form", list(FORMS))
def test_a_simulated_fleet_says_so_in_every_form(form: str) -> None:
    shown = FORMS[form](report("a", simulated=True))
    assert "SIMULATED" in shown or '"simulated": true' in shown or "simulated: true" in shown


def test_an_empty_site_is_told_how_to_begin() -> None:
    assert "mocdeck identity create" in FORMS["table"](report())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14d", timedelta(days=14)),
        ("36h", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)),
        ("2w", timedelta(days=14)),
        ("90s", timedelta(seconds=90)),
        ("1D 30M", timedelta(days=1, minutes=30)),
    ],
)
def test_durations_are_read_exactly(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "14", "d", "-1d", "1.5d", "1d-1h", "d1", "1y", "9999999999d", "\u0661d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_durations(text: str) -> None:
    try:
        found = parse_duration(text)
    except ValueError:
        return
    assert found >= timedelta(0)


def readme(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/readme.py", "--file", str(path), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_readme_s_help_is_filled_in_and_compared(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    blocks = "".join(f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n\n" for name in ("keys", "help", "exits"))
    path.write_text(f"# mocdeck\n\n{blocks}The rest.\n")
    assert readme(path, "--check").returncode == 1
    assert "old" in path.read_text(), "checking changes nothing"
    assert readme(path).returncode == 0
    text = path.read_text()
    assert "mocdeck rotate-ca start" in text
    assert text.startswith("# mocdeck\n")
    assert text.endswith("The rest.\n")
    assert readme(path, "--check").returncode == 0


def test_a_readme_without_markers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# mocdeck\n")
    result = readme(path)
    assert result.returncode == 1
    assert ":begin -->" in result.stderr
