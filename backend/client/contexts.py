"""The contexts file: how this computer reaches agents (`config.yaml`), and where mocdeck keeps its own files.

Owns its format both ways. Every mistake is named by file, path (`contexts[0].port`) and what was expected; a mistyped
key is a mistake too, since a setting that silently does nothing is worse. Holds no secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import platformdirs
import yaml

from backend.client.errors import FileInvalid
from backend.client.settings import DATA_PORT, LOGIN_PORT, ClientSettings
from backend.core.errors import NotFound
from backend.core.limits import NAME_LENGTH
from backend.pki.files import write_atomic

HOME_VARIABLE: Final = "MOCDECK_HOME"
_MAX_BYTES: Final = 1024 * 1024
_TEXTS: Final = ("name", "address", "cloudconfig", "login_file", "server_name", "tag")
TAG_LENGTH: Final = 16
_PORTS: Final = {"port": DATA_PORT, "auth_port": LOGIN_PORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where configuration, data and state lie: the platform's places, or three folders below MOCDECK_HOME."""

    config: Path
    data: Path
    state: Path

    @property
    def config_file(self) -> Path:
        """The contexts file."""
        return self.config / "config.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """How this computer reaches one site. `login_file` None: it cannot sign in by itself, only renew.

    `server_name` empty: the address is the name that the agent's certificate must carry. `tag` is a word that stands
    wherever the site is named, such as PROD, "" for none.
    """

    name: str
    address: str
    cloudconfig: Path
    port: int = DATA_PORT
    auth_port: int = LOGIN_PORT
    login_file: Path | None = None
    server_name: str = ""
    tag: str = ""

    def settings(self) -> ClientSettings:
        """The same as a credential's surroundings."""
        return ClientSettings(
            access_file=self.cloudconfig,
            login_file=self.login_file,
            address=self.address,
            port=self.port,
            auth_port=self.auth_port,
            server_name=self.server_name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """All contexts, in the file's order, and the name of the one in use ("" when none was chosen)."""

    contexts: tuple[Context, ...] = ()
    current: str = ""

    def get(self, name: str = "") -> Context:
        """Return the context with this name; without a name the current one, or the only one.

        Raises:
            NotFound: there is none; the sentence lists those there are.
        """
        wanted = name or self.current
        if not wanted and len(self.contexts) == 1:
            return self.contexts[0]
        for context in self.contexts:
            if context.name == wanted:
                return context
        known = ", ".join(context.name for context in self.contexts)
        if not known:
            raise NotFound("no context is configured; add one with: mocdeck login")
        if not wanted:
            raise NotFound(f"no context is chosen; choose one of {known} with: mocdeck context use NAME")
        raise NotFound(f"there is no context {wanted!r}; known are {known}")

    def put(self, context: Context, *, use: bool = True) -> Contexts:
        """Return these contexts with one added or replaced, chosen as the current one if `use`."""
        others = tuple(context if known.name == context.name else known for known in self.contexts)
        if context not in others:
            others = (*others, context)
        return replace(self, contexts=others, current=context.name if use else self.current)

    def choose(self, name: str) -> Contexts:
        """Return these contexts with another current one.

        Raises:
            NotFound: there is none of that name.
        """
        return replace(self, current=self.get(name).name)

    def remove(self, name: str) -> Contexts:
        """Return these contexts without one.

        Raises:
            NotFound: there is none of that name.
        """
        gone = self.get(name)
        left = tuple(context for context in self.contexts if context is not gone)
        return Contexts(contexts=left, current="" if self.current == gone.name else self.current)


def find_places(environment: Mapping[str, str]) -> Places:
    """Return where mocdeck's files lie; an empty MOCDECK_HOME counts as none. Makes nothing."""
    home = environment.get(HOME_VARIABLE, "")
    if home:
        root = Path(home).expanduser()
        return Places(config=root / "config", data=root / "data", state=root / "state")
    dirs = platformdirs.PlatformDirs("mocdeck", appauthor=False)
    return Places(config=dirs.user_config_path, data=dirs.user_data_path, state=dirs.user_state_path)


def read_contexts(path: Path) -> Contexts:
    """Read the contexts file; a missing one holds no contexts.

    Raises:
        FileInvalid: it is not as it should be; names the path and what was expected.
        OSError: it is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Contexts()
    if len(data) > _MAX_BYTES:
        raise FileInvalid(path, "", f"at most {_MAX_BYTES} bytes")
    return parse_contexts(data, path)


def parse_contexts(data: bytes, path: Path) -> Contexts:
    """Parse the bytes of a contexts file; relative paths in it count from its own directory.

    Raises:
        FileInvalid: names the path in the file and what was expected.
    """
    values = _load(data, path)
    if values is None:
        return Contexts()
    if not isinstance(values, dict):
        raise FileInvalid(path, "", "a mapping with the keys contexts and current")
    _refuse_unknown(values, {"contexts", "current"}, "", path)
    entries = values.get("contexts") or []
    if not isinstance(entries, list):
        raise FileInvalid(path, "contexts", "a list of contexts")
    contexts = tuple(_context(entry, f"contexts[{index}]", path) for index, entry in enumerate(entries))
    names = [context.name for context in contexts]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise FileInvalid(path, f"contexts[{index}].name", f"a name used once; {name!r} is there before")
    current = values.get("current") or ""
    if not isinstance(current, str) or (current and current not in names):
        raise FileInvalid(path, "current", "the name of one of the contexts")
    return Contexts(contexts=contexts, current=current)


def write_contexts(path: Path, contexts: Contexts) -> None:
    """Replace the contexts file whole; missing directories are made.

    Raises:
        OSError, UnsafeFile: it could not be written; the old one stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {"current": contexts.current, "contexts": [_entry(context) for context in contexts.contexts]}
    write_atomic(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode())


def _entry(context: Context) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": context.name,
        "address": context.address,
        "port": context.port,
        "auth_port": context.auth_port,
        "cloudconfig": str(context.cloudconfig),
    }
    if context.login_file is not None:
        entry["login_file"] = str(context.login_file)
    if context.server_name:
        entry["server_name"] = context.server_name
    if context.tag:
        entry["tag"] = context.tag
    return entry


def _load(data: bytes, path: Path) -> Any:
    try:
        return yaml.safe_load(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise FileInvalid(path, "", "UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise FileInvalid(path, "", f"valid YAML{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise FileInvalid(path, "", "valid YAML") from None


def _context(entry: object, where: str, path: Path) -> Context:
    if not isinstance(entry, dict):
        raise FileInvalid(path, where, "a mapping with name, address, cloudconfig ...")
    _refuse_unknown(entry, {*_TEXTS, *_PORTS}, f"{where}.", path)
    texts = {key: _text(entry, key, where, path) for key in _TEXTS}
    for key in ("name", "address", "cloudconfig"):
        if not texts[key]:
            raise FileInvalid(path, f"{where}.{key}", "text, not empty")
    if len(texts["name"]) > NAME_LENGTH or not texts["name"].isprintable():
        raise FileInvalid(path, f"{where}.name", f"at most {NAME_LENGTH} printable characters")
    if not is_tag(texts["tag"]):
        raise FileInvalid(path, f"{where}.tag", f"one word of at most {TAG_LENGTH} printable characters")
    if any(character.isspace() or character in "/[]" for character in texts["address"]):
        raise FileInvalid(path, f"{where}.address", "a host name or an IP address, without port")
    ports = {key: _port(entry, key, default, where, path) for key, default in _PORTS.items()}
    return Context(
        name=texts["name"],
        address=texts["address"],
        cloudconfig=_file(texts["cloudconfig"], path),
        port=ports["port"],
        auth_port=ports["auth_port"],
        login_file=_file(texts["login_file"], path) if texts["login_file"] else None,
        server_name=texts["server_name"],
        tag=texts["tag"],
    )


def is_tag(text: str) -> bool:
    """Tell whether a text may be a context's tag: one printable word, or nothing."""
    return len(text) <= TAG_LENGTH and text.isprintable() and not any(character.isspace() for character in text)


def _refuse_unknown(values: Mapping[object, object], known: set[str], prefix: str, path: Path) -> None:
    for key in values:
        if key not in known:
            raise FileInvalid(path, f"{prefix}{key}", "only the keys " + ", ".join(sorted(known)))


def _text(entry: Mapping[str, object], key: str, where: str, path: Path) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FileInvalid(path, f"{where}.{key}", "text")
    return value


def _port(entry: Mapping[str, object], key: str, default: int, where: str, path: Path) -> int:
    value = entry.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise FileInvalid(path, f"{where}.{key}", "a port number from 1 to 65535")
    return value


def _file(text: str, path: Path) -> Path:
    return path.parent / Path(text).expanduser()  # an absolute path stays as it is
