"""alerts.yaml: what is accepted, and what a refusal says and does not say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from backend.core.errors import InvalidInput
from backend.core.facts import Severity
from backend.pki.files import UnsafeFile
from backend.service.alert_file import ALERT_FILE, Sink, read_alert_file

SECRET = "hooks-secret-T00B00"


def written(directory: Path, text: str, mode: int = 0o600) -> Path:
    path = directory / ALERT_FILE
    path.write_text(text)
    path.chmod(mode)
    return path


def read(directory: Path, text: str) -> tuple[Sink, ...]:
    written(directory, text)
    return read_alert_file(directory)


def test_no_file_and_an_empty_one_mean_that_nobody_is_told(tmp_path: Path) -> None:
    assert read_alert_file(tmp_path) == ()
    assert read(tmp_path, "") == ()
    assert read(tmp_path, "sinks: []") == ()


def test_a_whole_sink_is_read_and_shows_no_secret(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    text = f"""
sinks:
  - name: oncall
    url: https://hooks.example/{SECRET}
    authorization: Bearer {SECRET}
    minimum_severity: critical
    alive_every: 5m
    ca_file: {ca}
"""
    (sink,) = read(tmp_path, text)
    assert (sink.name, sink.place, sink.least) == ("oncall", "https://hooks.example", Severity.CRITICAL)
    assert (sink.alive_every, sink.ca_file) == (timedelta(minutes=5), ca)
    assert sink.url.reveal().endswith(SECRET)
    assert SECRET not in repr(sink)


def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = written(tmp_path, "sinks: []", mode=0o644)
    with pytest.raises(UnsafeFile, match=f"chmod 600 {path}"):
        read_alert_file(tmp_path)


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ("{}", r"sinks\[0\]\.name"),
        ("{name: Über, url: 'https://a.example'}", r"sinks\[0\]\.name"),
        ("{name: a}", r"sinks\[0\]\.url"),
        ("{name: a, url: 7}", r"sinks\[0\]\.url"),
        (f"{{name: a, url: 'http://hooks.example/{SECRET}'}}", r"sinks\[0\]\.url"),
        (f"{{name: a, url: 'https://u:{SECRET}@hooks.example/'}}", r"sinks\[0\]\.url"),
        (f"{{name: a, url: 'file:///{SECRET}'}}", r"sinks\[0\]\.url"),
        (f"{{name: a, url: 'https://[{SECRET}'}}", r"sinks\[0\]\.url"),
        ("{name: a, url: 'https://a.example', minimum_severity: info}", r"sinks\[0\]\.minimum_severity"),
        ("{name: a, url: 'https://a.example', alive_every: 5s}", r"sinks\[0\]\.alive_every"),
        ("{name: a, url: 'https://a.example', alive_every: 300}", r"sinks\[0\]\.alive_every"),
        ("{name: a, url: 'https://a.example', ca_file: none.pem}", r"sinks\[0\]\.ca_file"),
        ('{name: a, url: "https://a.example", authorization: "x\\r\\nHost: b"}', r"sinks\[0\]\.authorization"),
        ("{name: a, url: 'https://a.example', color: red}", "unknown key 'color'"),
        ("[]", r"sinks\[0\] must hold"),
    ],
)
def test_a_wrong_entry_is_named_with_file_and_path_and_without_secrets(tmp_path: Path, entry: str, where: str) -> None:
    with pytest.raises(InvalidInput, match=where) as refused:
        read(tmp_path, f"sinks:\n  - {entry}\n")
    assert str(tmp_path / ALERT_FILE) in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("text", ["sinks: {", f"sinks: [{SECRET}: &", "\x00", "[" * 5000, "sinks: 2026-02-31"])
def test_what_is_no_yaml_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, text)
    assert SECRET not in str(refused.value)


def test_two_sinks_of_one_name_are_refused(tmp_path: Path) -> None:
    entry = "  - {name: a, url: 'https://a.example'}\n"
    with pytest.raises(InvalidInput, match=r"sinks\[1\]\.name 'a' is taken"):
        read(tmp_path, "sinks:\n" + entry * 2)
    with pytest.raises(InvalidInput, match="at most 16"):
        read(tmp_path, "sinks:\n" + entry * 17)


def test_http_is_for_this_very_computer(tmp_path: Path) -> None:
    for host in ("127.0.0.1:9", "[::1]:9", "localhost"):
        (sink,) = read(tmp_path, f"sinks:\n  - {{name: a, url: 'http://{host}/x'}}\n")
        assert sink.is_loopback
