"""Where MOC's clients keep their files, decided by the environment exactly as the Go clients do (moc/protocol.md 3.6).

Pure: the environment, the home directory and the program's name are arguments; nothing is read, made or set.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Final

CONFIG_PATH: Final = "WSSD_CONFIG_PATH"
ACCESS_DIRECTORY: Final = "ACCESSFILE_DIR_PATH"
CLIENT_TOKEN: Final = "WSSD_CLIENT_TOKEN"  # noqa: S105 - a variable's name
DEBUG_MODE: Final = "WSSD_DEBUG_MODE"
ACCESS_FILE_NAME: Final = "cloudconfig"
WSSD_DIRECTORY: Final = ".wssd"


def access_file_path(environment: Mapping[str, str], home: Path, program: str) -> Path:
    """Return where the cloudconfig lies.

    `ACCESSFILE_DIR_PATH`, when not empty, wins over `WSSD_CONFIG_PATH`; without both it is below `~/.wssd`. The last
    directory is the program's name without folder and suffix, e.g. `mocctl` for `C:/bin/mocctl.exe`.
    """
    directory = environment.get(ACCESS_DIRECTORY, "")
    config = environment.get(CONFIG_PATH, "")
    if not directory and config:
        return Path(config)
    base = Path(directory) if directory else home / WSSD_DIRECTORY
    return base / PurePath(program.replace("\\", "/")).stem / ACCESS_FILE_NAME


def login_file_path(environment: Mapping[str, str], home: Path) -> Path:
    """Return where the login YAML lies: `WSSD_CLIENT_TOKEN`, or `~/.wssd/.token`."""
    token = environment.get(CLIENT_TOKEN, "")
    return Path(token) if token else home / WSSD_DIRECTORY / ".token"


def is_plaintext(environment: Mapping[str, str]) -> bool:
    """Tell whether `WSSD_DEBUG_MODE` is `on`, in any case: the data port without TLS. The login port keeps TLS."""
    return environment.get(DEBUG_MODE, "").lower() == "on"
