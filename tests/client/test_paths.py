"""Where MOC's files lie, as its Go clients decide it (moc/protocol.md 3.6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.client import paths
from backend.client.settings import runner_settings_from_environment

HOME = Path("/home/op")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "/home/op/.wssd/mocctl/cloudconfig"),
        ({"WSSD_CONFIG_PATH": "/etc/azhci/cloudconfig/value"}, "/etc/azhci/cloudconfig/value"),
        ({"ACCESSFILE_DIR_PATH": "/var/wssd"}, "/var/wssd/mocctl/cloudconfig"),
        ({"ACCESSFILE_DIR_PATH": "/var/wssd", "WSSD_CONFIG_PATH": "/etc/x"}, "/var/wssd/mocctl/cloudconfig"),
        ({"ACCESSFILE_DIR_PATH": "", "WSSD_CONFIG_PATH": "/etc/x"}, "/etc/x"),
        ({"ACCESSFILE_DIR_PATH": "", "WSSD_CONFIG_PATH": ""}, "/home/op/.wssd/mocctl/cloudconfig"),
    ],
)
def test_the_cloudconfig_lies_where_go_clients_look(environment: dict[str, str], expected: str) -> None:
    assert paths.access_file_path(environment, HOME, "/usr/bin/mocctl") == Path(expected)


@pytest.mark.parametrize("program", ["kvactl", "/opt/kvactl", "C:\\Program Files\\kvactl.exe", "./kvactl.exe"])
def test_the_programs_name_loses_folder_and_suffix(program: str) -> None:
    assert paths.access_file_path({}, HOME, program) == Path("/home/op/.wssd/kvactl/cloudconfig")


def test_the_login_file_lies_where_the_variable_says_or_at_home() -> None:
    assert paths.login_file_path({}, HOME) == Path("/home/op/.wssd/.token")
    assert paths.login_file_path({"WSSD_CLIENT_TOKEN": "/k/cloudlogin.yaml"}, HOME) == Path("/k/cloudlogin.yaml")


@pytest.mark.parametrize(("value", "plaintext"), [("on", True), ("ON", True), ("On", True), ("1", False), ("", False)])
def test_debug_mode_is_the_word_on_in_any_case(value: str, plaintext: bool) -> None:
    assert paths.is_plaintext({"WSSD_DEBUG_MODE": value}) is plaintext


def test_settings_come_from_the_environment() -> None:
    settings = runner_settings_from_environment({"WSSD_CONFIG_PATH": "/c", "WSSD_CLIENT_TOKEN": "/t"}, HOME, "x")
    assert (settings.access_file, settings.login_file, settings.plaintext) == (Path("/c"), Path("/t"), False)
