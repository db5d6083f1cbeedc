"""Copying: the way that works here is taken and named, and no secret goes that way (US of SSH and tmux)."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.pki import keys
from tests.tui.terminal import Terminal
from tui.app import MocdeckApp
from tui.clipboard import OSC_LIMIT, copy, osc_52, refusal

MakeApp = Callable[..., MocdeckApp]
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJuYW1lIjoiY2FuYXJ5In0.c2lnbmF0dXJlLWNhbmFyeQ"
CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(bytes(range(200))).decode()}\n-----END CERTIFICATE-----"
XTERM = {"TERM": "xterm-256color", "PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    "text",
    [
        "csi-012",
        "w000123-kms-cloud-operator-production-west-eu-2",
        "/var/lib/mocdeck/clients/bonn-wl3/cloud-operator-07/login-2026.yaml",
        "9c41" * 16,
        "9c:41:" * 15,
        CERTIFICATE,
        "mocdeck rotate-token kms-007 --reason 'OPS-4411'",
        "token_expires_at: '2026-12-01T00:00:00Z'",
    ],
)
def test_names_paths_digests_certificates_and_commands_may_be_copied(text: str) -> None:
    assert refusal(text) is None


@pytest.mark.parametrize(
    "text",
    [
        keys.private_key_pem(keys.generate_key(keys.KeyKind.P256)).decode(),
        f"{CERTIFICATE}\n{keys.private_key_pem(keys.generate_key(keys.KeyKind.P256)).decode()}",
        JWT,
        f"name: csi-012\ntoken: {JWT}",
        JWT[:20],
        "passphrase: hunter22",
        "password=x",
        "client-key-data: LS0tLS1CRUdJTiBQUklWQVRF",
        "token: 0123456789abcdef0123",
        base64.b64encode(bytes(range(7, 67))).decode(),
    ],
)
def test_whatever_looks_like_a_key_or_a_token_is_refused(text: str, make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    assert copy(app, text, XTERM).startswith("not copied: it looks like")
    assert not (tmp_path / "copied.txt").exists()


@pytest.mark.parametrize(("size", "fits"), [(OSC_LIMIT // 4 * 3, True), (OSC_LIMIT // 4 * 3 + 3, False)])
def test_a_sequence_is_sent_up_to_what_every_terminal_takes(size: int, fits: bool) -> None:
    assert (osc_52("x" * size, XTERM) is not None) is fits


def test_under_gnu_screen_the_sequence_goes_in_wrapped_pieces() -> None:
    sequence = osc_52("csi-012\n" * 100, {"TERM": "screen-256color"})
    assert sequence is not None
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
    assert len(pieces) == 3
    assert all(len(piece) <= 512 for piece in pieces)
    assert "".join(pieces) == osc_52("csi-012\n" * 100, XTERM)


def test_a_copied_text_lies_in_a_private_file_that_is_named(make_app: MakeApp, tmp_path: Path) -> None:
    said = copy(make_app(), "csi-012", XTERM)
    assert said == f"copied by the terminal (OSC 52); if nothing arrives: {tmp_path / 'copied.txt'}"
    assert (tmp_path / "copied.txt").read_text() == "csi-012\n"
    assert (tmp_path / "copied.txt").stat().st_mode & 0o777 == 0o600


def test_a_text_that_is_too_long_is_only_kept(make_app: MakeApp, tmp_path: Path) -> None:
    said = copy(make_app(), "name-\n" * 20_000, XTERM)
    assert said.startswith("not copied, 120000 bytes are more than a terminal takes")
    assert str(tmp_path / "copied.txt") in said


def test_a_tmux_that_does_not_answer_leaves_it_to_the_terminal(make_app: MakeApp) -> None:
    broken = XTERM | {"TMUX": "/nowhere/tmux,1,0"}
    assert copy(make_app(), "csi-012", broken).startswith("copied by the terminal")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A tmux of its own, without configuration."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "tmux"
    command = ["tmux", "-S", str(socket), "-f", os.devnull]
    subprocess.run([*command, "new-session", "-d", "-s", "one", "sh"], check=True, env=XTERM)
    yield XTERM | {"TMUX": f"{socket},0,0", "TERM": "tmux-256color"}
    subprocess.run([*command, "kill-server"], check=False, capture_output=True)


def test_inside_tmux_the_text_is_in_its_buffer(make_app: MakeApp, tmux: dict[str, str]) -> None:
    assert copy(make_app(), "csi-012", tmux).startswith("copied by tmux; if nothing arrives: ")
    shown = subprocess.run(["tmux", "show-buffer"], env=tmux, check=True, capture_output=True, text=True)
    assert shown.stdout == "csi-012"


def test_a_key_copies_what_is_under_the_cursor_to_a_real_terminal(tmp_path: Path) -> None:
    terminal = Terminal(["run", str(tmp_path)], {}, answers=True)
    try:
        terminal.wait_for("csi-012")
        terminal.settle(quiet=0.3, seconds=2)
        terminal.press(b"c")
        terminal.read_until(b"\x1b]52;c;" + base64.b64encode(b"csi-012") + b"\x07")
        terminal.wait_for("copied by the terminal")
    finally:
        terminal.close()
