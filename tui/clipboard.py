"""Copying over SSH and tmux: the way that works where the operator sits, said by name, and a file in any case.

Owns the ladder of ways and what may never be copied. `tmux load-buffer -w` gets out of a tmux without configuration
where escape sequences do not; elsewhere OSC 52, which no terminal confirms, so the text also lies in a private file.
Identifiers, certificates and command lines may be copied; a private key or a token never (tui.md 3.7).
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.core.errors import AgentError
from backend.pki.files import write_atomic

if TYPE_CHECKING:
    from tui.session import DeckApp

OSC_LIMIT: Final = 74_994  # encoded bytes that every terminal with OSC 52 takes
SCREEN_PIECE: Final = 512  # GNU screen cuts device control strings at 768 bytes
TMUX_SECONDS: Final = 2.0
FILE_NAME: Final = "copied.txt"

_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")
_SECRETS: Final = (
    ("a key or another sealed block", re.compile(r"-----BEGIN ")),
    ("a token", re.compile(r"eyJ[A-Za-z0-9_-]{8,}")),  # a JWT, whole or cut
    (
        "a passphrase",
        re.compile(r"(?i)\b(?:pass(?:word|phrase)?|secret|client-key-data|private.?key)[ \t]*[=:][ \t]*\S"),
    ),
    ("a token", re.compile(r"(?i)\btoken[ \t]*[=:][ \t]*\S{16}")),
)
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_-]{40,}")
_RANDOM: Final = re.compile(r"(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}")


def refusal(text: str) -> str | None:
    """Return why a text may not be copied, or None; names, paths, digests in hexadecimal and certificates may."""
    rest = _CERTIFICATE.sub("", text)
    found = next((what for what, pattern in _SECRETS if pattern.search(rest)), None)
    if found is None and any(_RANDOM.search(run) for run in _RUN.findall(rest)):
        found = "a key or a token"
    return None if found is None else f"not copied: it looks like {found}, and such never goes to a clipboard"


def copy(app: DeckApp, text: str, environment: Mapping[str, str] | None = None) -> str:
    """Copy a text by the first way that works here; return what was done, as one sentence for the operator."""
    refused = refusal(text)
    if refused is not None:
        return refused
    known = os.environ if environment is None else environment
    app._clipboard = text  # ctrl+v in the dashboard's own lines
    kept = _keep(text, app.state_dir)
    otherwise = f"; if nothing arrives: {kept}" if kept is not None else ""
    if known.get("TMUX") and _by_tmux(text, known):
        return f"copied by tmux{otherwise}"
    sequence = osc_52(text, known)
    if sequence is None:
        size = len(text.encode())
        return f"not copied, {size} bytes are more than a terminal takes; " + (
            f"the text lies in {kept}" if kept is not None else f"{app.state_dir} cannot be written either"
        )
    if app._driver is not None and not app.is_headless:
        app._driver.write(sequence)
    return f"copied by the terminal (OSC 52){otherwise}"


def osc_52(text: str, environment: Mapping[str, str]) -> str | None:
    """Return the sequence that puts a text on the terminal's clipboard; None when it is too long for one.

    Under GNU screen it is wrapped piece by piece into device control strings, which screen hands through.
    """
    encoded = base64.b64encode(text.encode()).decode()
    if len(encoded) > OSC_LIMIT:
        return None
    sequence = f"\x1b]52;c;{encoded}\x07"
    if not environment.get("TERM", "").startswith("screen") or environment.get("TMUX"):
        return sequence
    pieces = [sequence[place : place + SCREEN_PIECE] for place in range(0, len(sequence), SCREEN_PIECE)]
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def _by_tmux(text: str, environment: Mapping[str, str]) -> bool:
    """Hand a text to the tmux server, which passes it on to the terminal; False when there is no such tmux."""
    program = shutil.which("tmux", path=environment.get("PATH"))
    if program is None:
        return False
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - the program of the session that we are in, text by its input
            [program, "load-buffer", "-w", "-"], input=text.encode(), env=dict(environment), capture_output=True,
            timeout=TMUX_SECONDS, check=False,
        )  # fmt: skip
        return done.returncode == 0
    return False


def _keep(text: str, state_dir: Path) -> Path | None:
    """Keep the text in a file that only its owner reads; None when that cannot be done."""
    path = state_dir / FILE_NAME
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, f"{text}\n".encode())
    except (AgentError, OSError):
        return None
    return path
