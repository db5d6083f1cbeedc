"""What the documents promise is there: states, pictures, links, commands and options."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from backend.cli.root import cli
from backend.core.facts import Overlay, State

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "docs" / "operations.md"]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")


def examples() -> list[str]:
    """Every line that begins with `mocdeck` in the shell examples, continued lines joined."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
            lines = block.replace("\\\n", " ").splitlines()
            found += [line.strip() for line in lines if line.strip().startswith("mocdeck")]
    return found


def anchor(heading: str) -> str:
    return "#" + re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_the_made_blocks_of_the_readme_are_those_of_the_program() -> None:
    result = subprocess.run(
        [sys.executable, "scripts/readme.py", "--check"], cwd=ROOT, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode()


def test_the_readme_explains_every_state_and_overlay() -> None:
    text = README.read_text(encoding="utf-8")
    assert [state.value for state in State if f"\n| {state.value} |" not in text] == []
    assert [overlay.value for overlay in Overlay if f"\n| {overlay.value} |" not in text] == []


def test_every_screenshot_is_shown_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "screenshots").glob("*.png") if f"screenshots/{path.name}" not in text] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *DECISIONS], ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for target in LINK.findall(text):
        if target.startswith("#"):
            assert target in headings
        elif "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("line", examples())
def test_an_example_names_commands_and_options_that_exist(line: str) -> None:
    words = shlex.split(line.partition(" | ")[0].partition(" > ")[0], comments=True)[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="mocdeck")
    known = {"--version", "--help"}
    for word in words:
        known |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        if isinstance(command, click.Group) and not word.startswith("-"):
            inner = command.get_command(context, word)
            if inner is not None:
                command, context = inner, click.Context(inner, info_name=word, parent=context)
        elif word.startswith("-"):
            assert word in known, f"{command.name} has no {word}"
    assert not isinstance(command, click.Group) or command is cli, f"{line} lacks a command"


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_says_what_is_lost(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 50
    assert "**What we lose.**" in text
