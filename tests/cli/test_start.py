"""What starting costs, and what the command line says of itself."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from backend.cli import root
from backend.cli.exits import MEANINGS, Exit, exit_for
from backend.cli.root import COMMANDS, cli
from backend.core import errors
from tui import palette

Mocdeck = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]


def fresh(*words: str, code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A new interpreter that runs one command line and prints the modules it has loaded."""
    script = f"""
import atexit, sys
atexit.register(lambda: print("LOADED", *sorted(sys.modules), file=sys.stderr))
sys.argv = ["mocdeck", *{list(words)!r}]
{code}
from backend.cli.__main__ import main
main()
"""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def loaded(result: subprocess.CompletedProcess[str]) -> set[str]:
    line = next(line for line in result.stderr.splitlines() if line.startswith("LOADED"))
    return set(line.split()[1:])


def test_status_loads_neither_screen_nor_database(operator: Mocdeck, tmp_path: Path) -> None:
    result = fresh("status", MOCDECK_HOME=str(tmp_path / "home"))
    assert result.returncode == 2, result.stderr
    assert "locked-kms" in result.stdout
    modules = loaded(result)
    assert "grpc" in modules
    assert not modules & {"textual", "sqlalchemy", "rich", "alembic", "tui", "backend.server", "backend.store"}
    assert not modules & {"kubernetes", "jwt", "prometheus_client", "http.client", "urllib.request", "psycopg"}
    assert len(modules) <= 560, "each costs every `mocdeck status` a third of a millisecond"


def test_the_themes_of_the_command_line_are_those_of_the_dashboard() -> None:
    assert tuple(palette.THEMES) == root.THEMES


def test_only_the_dashboard_takes_several_contexts() -> None:
    for words in (("status",), ("--plain",)):
        result = fresh("--context", "bonn", "--context", "oslo", *words)
        assert result.returncode != 0
        assert "only the dashboard shows several contexts" in result.stderr


def test_the_version_loads_no_library_beyond_click() -> None:
    result = fresh("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("mocdeck ")
    assert not loaded(result) & {"grpc", "cryptography", "yaml", "textual", "sqlalchemy", "rich", "google.protobuf"}


@pytest.mark.parametrize("line", ["mocdeck st", "mocdeck status --", "mocdeck identity "])
def test_completion_loads_neither_screen_nor_database_nor_grpc(line: str) -> None:
    words = line.split(" ")
    result = fresh(_MOCDECK_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert result.returncode == 0, result.stderr
    assert {"mocdeck st": "plain,status", "mocdeck status --": "plain,--output", "mocdeck identity ": "plain,create"}[
        line
    ] in result.stdout
    assert not loaded(result) & {"grpc", "cryptography", "textual", "sqlalchemy", "rich", "google.protobuf"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_completion_script(mocdeck: Mocdeck, shell: str) -> None:
    result = mocdeck("completion", shell)
    assert result.exit_code == 0
    assert "_MOCDECK_COMPLETE" in result.stdout


def test_without_a_terminal_it_points_to_status(mocdeck: Mocdeck) -> None:
    result = mocdeck()
    assert result.exit_code == 64
    assert "mocdeck status" in result.stderr


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_the_table_is_there_and_has_help(mocdeck: Mocdeck, name: str) -> None:
    later = COMMANDS[name]
    command = getattr(importlib.import_module(later.module), later.attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    result = mocdeck(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: mocdeck {name}")


def walk(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        found += walk(child, (*path, name))
    return found


LOOKING = {
    *(("status",), ("describe",), ("audit",), ("completion",), ("demo",), ("login",)),
    *((group, verb) for group in ("identity", "role", "cluster", "operations", "context") for verb in ("list", "show")),
    *(
        ("context", "use"),
        ("context", "remove"),
        ("context", "tag"),
        ("agent", "init"),
        ("agent", "run"),
        ("agent", "backup"),
    ),
    *(("client", "login"), ("client", "run"), ("client", "status"), ("rotate-ca", "plan"), ("rotate-ca", "status")),
    *(("alerts", "list"), ("alerts", "test")),  # a test notice changes nothing and says that nothing is wrong
    *(("token-policy", "show"), ("token-policy", "plan"), ("context", "tag")),
    *(("delivery", "list"), ("delivery", "probe"), ("handover",), ("diagnose",)),
    *(("forecast", what) for what in ("away", "ca", "compare", "reboot", "safe-off", "skew", "stranded", "upgrade")),
    ("operations", "login-file"),  # part of a repair that was confirmed
}


def test_whatever_changes_the_site_wants_a_confirmation() -> None:
    for path, command in walk(cli):
        options = {name for parameter in command.params for name in parameter.opts}
        assert ("--confirm" in options) is (path not in LOOKING), path
        assert path in LOOKING or "--dry-run" in options or path[0] == "rotate-ca", path


def test_every_exit_code_has_a_meaning_in_the_help(mocdeck: Mocdeck) -> None:
    assert set(MEANINGS) == set(Exit)
    help_text = mocdeck("--help").stdout
    assert all(f"{code.value}  {MEANINGS[code]}" in help_text for code in Exit)


def tree(kind: type[errors.AgentError]) -> list[type[errors.AgentError]]:
    return [kind, *(grandchild for child in kind.__subclasses__() for grandchild in tree(child))]


def test_errors_that_a_script_can_tell_apart_end_differently() -> None:
    codes = {
        exit_for(reason)
        for reason in (
            *("unreachable", "no_context", "wrong_passphrase", "port_unavailable", "store_too_new", "unsafe_file"),
            *("access_denied", "not_found", "invalid_input", "confirmation_refused", "busy", "agent_untrusted"),
        )
    }
    assert len(codes) == 12
    assert all(exit_for(kind.reason) not in {Exit.OK, Exit.WARNING} for kind in tree(errors.AgentError))
