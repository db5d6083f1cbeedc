"""Bad input ends in one paragraph that names the thing and the next step, with a code of its own, and no traceback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Mocdeck = Callable[..., Result]

GOOD = "{name: bonn, address: a.example, cloudconfig: c/cloudconfig}"


def paragraph(result: Result) -> str:
    """The one paragraph on standard error."""
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("mocdeck: ")
    return lines[0]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("contexts: [", "valid YAML"),
        ("contexts: {}\nx: 1", "x: expected only the keys contexts, current"),
        ("- a", "expected a mapping with the keys contexts and current"),
        (f"contexts: [{GOOD}]\ncurrent: oslo", "current: expected the name of one of the contexts"),
        (f"contexts: [{GOOD}, {GOOD}]", "contexts[1].name: expected a name used once"),
        ("contexts: [{name: bonn, address: a, cloudconfig: c, prot: 1}]", "contexts[0].prot: expected only the keys"),
        (
            "contexts: [{name: bonn, address: a, cloudconfig: c, port: 70000}]",
            "contexts[0].port: expected a port number",
        ),
        ("contexts: [{name: bonn, address: a}]", "contexts[0].cloudconfig: expected text, not empty"),
        ("contexts: [{name: bonn, address: [1], cloudconfig: c}]", "contexts[0].address: expected text"),
        ("contexts: [{name: bonn, address: 'a:1/b', cloudconfig: c}]", "contexts[0].address: expected a host name"),
        ("\x00", "valid YAML"),
    ],
)
def test_a_mistake_in_the_configuration_is_named_by_file_path_and_expectation(
    mocdeck: Mocdeck, tmp_path: Path, text: str, where: str
) -> None:
    path = tmp_path / "home" / "config" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    result = mocdeck("status")
    assert result.exit_code == 78
    assert str(path) in paragraph(result)
    assert where in paragraph(result)


def test_without_a_context_it_says_how_to_get_one(mocdeck: Mocdeck) -> None:
    result = mocdeck("status")
    assert result.exit_code == 78
    assert "mocdeck login" in paragraph(result)


def test_an_unknown_context_lists_the_known_ones(operator: Mocdeck) -> None:
    result = operator("--context", "oslo", "status")
    assert result.exit_code == 78
    assert "oslo" in paragraph(result)
    assert "bonn" in paragraph(result)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "the file is empty"),
        ("name: [", "valid YAML"),
        ("- x", "a YAML mapping"),
        ("name: a\ntoken: b\ncertificate: '!!'", "certificate: expected the base64 text"),
        ("token: b", "name: expected the identity's name"),
        ("name: a\ntoken: b c", "token: expected a JWT on one line"),
    ],
)
def test_a_malformed_login_file_is_named_without_its_content(
    mocdeck: Mocdeck, tmp_path: Path, content: str, expected: str
) -> None:
    path = tmp_path / "login.yaml"
    path.write_text(content)
    path.chmod(0o600)
    result = mocdeck("login", "--login-file", path)
    assert result.exit_code == 78
    assert f"{path}" in paragraph(result)
    assert expected in paragraph(result)
    assert not (tmp_path / "home" / "config").exists(), "nothing is left half-made"


def test_a_missing_login_file_is_not_found(mocdeck: Mocdeck, tmp_path: Path) -> None:
    result = mocdeck("login", "--login-file", tmp_path / "none.yaml")
    assert result.exit_code == 66
    assert "none.yaml" in paragraph(result)


def test_an_agent_that_does_not_answer_is_unreachable(mocdeck: Mocdeck, agent: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    login = agent.directory / "admin" / "login.yaml"
    result = mocdeck("login", "--login-file", login, "--address", "127.0.0.1", "--auth-port", str(port))
    assert result.exit_code == 69
    assert f"127.0.0.1:{port}" in paragraph(result)


def test_a_name_that_the_certificate_does_not_carry_is_untrusted(mocdeck: Mocdeck, agent: Any) -> None:
    login = agent.directory / "admin" / "login.yaml"
    result = mocdeck("login", "--login-file", login, *agent.way, "--server-name", "elsewhere.example")
    assert result.exit_code == 80
    assert "elsewhere.example" in paragraph(result)


def test_an_expired_token_gets_no_access(mocdeck: Mocdeck, agent: Any, tmp_path: Path) -> None:
    text = (agent.directory / "admin" / "login.yaml").read_text()
    path = tmp_path / "old.yaml"
    path.write_text(text.replace("name: admin", "name: locked-kms"))
    path.chmod(0o600)
    result = mocdeck("login", "--login-file", path, *agent.way)
    assert result.exit_code == 77
    assert "Token" in paragraph(result)


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--no-such-option"],
        ["no-such-command"],
        ["status", "--fail-within", "soon"],
        ["status", "--fail-within", "999999999w"],
        ["status", "--output", "xml"],
        ["status", "--state", "broken"],
        ["agent", "run", "--directory", "/nonexistent", "--port", "70000"],
        ["role", "create", "x", "--action", "identity:fly", "--yes"],
        ["role", "create", "x", "--action", "dragon:read", "--yes"],
        ["login", "--login-file", "/nonexistent", "--context", "../x"],
        ["client", "run", "--login-file", "a"],
        ["client", "run", "--config", "a", "--config", "a"],
        ["client", "run", "--manifest", "m", "--config", "a"],
        ["client", "run", "--config", "a", "--interval", "0s"],
    ],
)
def test_bad_usage_has_its_own_code(mocdeck: Mocdeck, words: list[str]) -> None:
    result = mocdeck(*words)
    expected = 66 if "../x" in words else 64
    assert result.exit_code == expected, result.stderr
    assert paragraph(result)


def test_a_fault_of_ours_is_told_without_a_traceback(mocdeck: Mocdeck, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret value 4711")

    monkeypatch.setattr("backend.cli.session.get_context", broken)
    result = mocdeck("status")
    assert result.exit_code == 70
    assert "4711" not in paragraph(result)
    assert "--debug" in paragraph(result)


def test_control_characters_do_not_reach_the_terminal(mocdeck: Mocdeck, tmp_path: Path) -> None:
    result = mocdeck("login", "--login-file", tmp_path / "a\x1b[31mb")
    assert "\x1b" not in result.stderr
