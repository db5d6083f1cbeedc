"""`mocdeck client login | run | status`, and the manifest of many clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from backend.cli.manifest import read_manifest
from backend.client.errors import FileInvalid
from backend.pki.keys import KeyKind

Mocdeck = Callable[..., Result]


def test_a_client_signs_in_with_the_key_it_was_asked_for(operator: Mocdeck, agent: Any, tmp_path: Path) -> None:
    login, config = tmp_path / "c.yaml", tmp_path / "c" / "cloudconfig"
    assert operator("identity", "create", f"rsa-{tmp_path.name}", "--out", login, "--yes").exit_code == 0
    result = operator("client", "login", "--login-file", login, "--config", config, "--key", "rsa2048", *agent.way)
    assert result.exit_code == 0, result.stderr
    assert f"as rsa-{tmp_path.name}" in result.stdout
    assert config.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(config.read_text())) >= {"ClientKey", "ClientCertificate", "CloudCertificate"}


def test_moc_s_own_variables_say_where_the_files_are(operator: Mocdeck, agent: Any, tmp_path: Path) -> None:
    login, config = tmp_path / "moc.yaml", tmp_path / "moc" / "cloudconfig"
    assert operator("identity", "create", f"moc-{tmp_path.name}", "--out", login, "--yes").exit_code == 0
    result = operator("client", "login", *agent.way, WSSD_CLIENT_TOKEN=str(login), WSSD_CONFIG_PATH=str(config))
    assert result.exit_code == 0, result.stderr
    assert config.exists()


def test_the_status_of_a_client_that_never_ran_is_not_found(mocdeck: Mocdeck, tmp_path: Path) -> None:
    result = mocdeck("client", "status", "--config", tmp_path / "cloudconfig")
    assert result.exit_code == 66
    assert "mocdeck client run" in result.stderr


def test_a_broken_status_file_is_named(mocdeck: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "cloudconfig.status.json"
    path.write_text("{")
    result = mocdeck("client", "status", "--config", tmp_path / "cloudconfig")
    assert result.exit_code == 78
    assert str(path) in result.stderr


def test_the_status_is_what_the_running_client_wrote(mocdeck: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "cloudconfig.status.json"
    path.write_text(json.dumps({"status": {"state": "working", "serial": "ab"}, "memory": {"login_token": "digest"}}))
    result = mocdeck("client", "status", "--config", tmp_path / "cloudconfig")
    assert json.loads(result.stdout) == {"state": "working", "serial": "ab"}


def test_a_manifest_gives_each_client_its_own_settings(tmp_path: Path) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text(
        "clients:\n"
        "  - {config: a/cloudconfig, login_file: a.yaml, address: 127.0.0.1, port: 1, auth_port: 2, interval: 2s}\n"
        "  - {config: /b/cloudconfig, key: rsa2048, server_name: ca.example, clock_offset: -10m}\n"
    )
    first, second = read_manifest(path)
    assert first.settings.access_file == tmp_path / "a" / "cloudconfig", "relative paths count from the manifest"
    assert first.settings.login_file == tmp_path / "a.yaml"
    assert (first.settings.port, first.settings.auth_port) == (1, 2)
    assert first.settings.heartbeat == timedelta(seconds=2)
    assert first.clock_offset == timedelta(0)
    assert second.settings.access_file == Path("/b/cloudconfig")
    assert second.settings.login_file is None
    assert second.settings.key_kind is KeyKind.RSA2048
    assert second.clock_offset == timedelta(minutes=-10)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("clients: [", "", "valid YAML"),
        ("", "clients", "a list"),
        ("clients: []", "clients", "at least one client"),
        ("clients: [{config: a}]\nclient: 1", "client", "only the keys clients"),
        ("clients: [a]", "clients[0]", "a mapping"),
        ("clients: [{login_file: a}]", "clients[0].config", "the path"),
        ("clients: [{config: a, intervall: 1s}]", "clients[0].intervall", "only the keys"),
        ("clients: [{config: a, interval: 1}]", "clients[0].interval", "text"),
        ("clients: [{config: a, interval: soon}]", "clients[0].interval", "a duration"),
        ("clients: [{config: a, interval: 0s}]", "clients[0].interval", "at least 1s"),
        ("clients: [{config: a, port: 65536}]", "clients[0].port", "a port number"),
        ("clients: [{config: a, port: true}]", "clients[0].port", "a port number"),
        ("clients: [{config: a, key: dsa}]", "clients[0].key", "one of p256, rsa2048"),
        ("clients: [{config: a}, {config: a}]", "clients[1].config", "no other client"),
    ],
)
def test_a_mistake_in_the_manifest_is_named(tmp_path: Path, text: str, key: str, expected: str) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text(text)
    with pytest.raises(FileInvalid) as caught:
        read_manifest(path)
    assert caught.value.key == key
    assert expected in caught.value.expected
    assert str(path) in str(caught.value)


def test_a_mistake_in_the_manifest_ends_the_program_at_once(mocdeck: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text("clients: 7")
    assert mocdeck("client", "run", "--manifest", path).exit_code == 78
    assert mocdeck("client", "run", "--manifest", tmp_path / "none").exit_code == 66
