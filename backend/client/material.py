"""What one identity holds on this computer: login file, cloudconfig and the record beside it, read and rewritten.

Owns which of them is newer than what this client used, and every swap. Only our own files are set aside when they are
broken; a login file belongs to whoever brings it. Knows no network.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from backend.client.access_file import (
    AccessFile,
    find_access_file,
    previous_path,
    swap_access_file,
    write_access_file,
)
from backend.client.errors import FileInvalid
from backend.client.login_file import LoginFile, read_login_file, write_login_file
from backend.client.record import (
    Memory,
    Record,
    Status,
    read_record,
    record_path,
    token_mark,
    trust_mark,
    write_record,
)
from backend.client.settings import ClientSettings
from backend.core.errors import AgentError, InvalidInput
from backend.core.model import Secret
from backend.pki import trust

log = logging.getLogger(__name__)


class FileWatch:
    """Notices that a file is another one: its time, size or inode changed, or it came or went."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | str | None = "never looked"

    def has_changed(self) -> bool:
        """Tell whether it differs from the last look, and remember this one."""
        seen = self._seen
        self.mark()
        return self._seen != seen

    def mark(self) -> None:
        """Take the file as it is now for known, as after our own writing."""
        try:
            facts = self._path.stat()
            self._seen = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        except OSError:
            self._seen = None


class Material:
    """One identity's files in memory. `login` and `access` are None while there are none that can be read."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._access_watch = FileWatch(settings.access_file)
        self._login_watch = FileWatch(settings.login_file) if settings.login_file else None
        self._record = read_record(record_path(settings.access_file))
        self.login: LoginFile | None = None
        self.access: AccessFile | None = None
        self.previous: AccessFile | None = None
        self.login_error = ""
        self._led: tuple[str, int, str] | None = None  # from the login file's roots of that digest: epoch and bundle

    @property
    def memory(self) -> Memory:
        """What the record keeps for the next start."""
        return self._record.memory

    @property
    def epoch(self) -> int:
        """The bundle epoch held; 0 when the roots in the cloudconfig are not the ones that the record speaks of."""
        if self.access is None or trust_mark(self.access.trust_pem) != self.memory.bundle_trust:
            return 0
        return self.memory.epoch

    @property
    def login_is_new(self) -> bool:
        """Tell whether the login file was brought since this client last used or wrote it."""
        if self.login is None:
            return False
        if self.access is not None and self.access.identity_name != self.login.name:
            return True
        memory = self.memory
        if not memory.login_token:  # never noted: a file that agrees with the cloudconfig is the one behind it
            return self.access is None or trust_mark(self.access.trust_pem) != trust_mark(self.login.trust_pem)
        return (memory.login_token, memory.login_trust) != (
            token_mark(self.login.token),
            trust_mark(self.login.trust_pem),
        )

    @property
    def login_trust_is_new(self) -> bool:
        """Tell whether the login file's roots were brought since, so that they count more than the cloudconfig's."""
        if self.login is None or self.access is None:
            return self.login is not None
        return self.login_is_new and self.memory.login_trust != trust_mark(self.login.trust_pem)

    def trust_pem(self) -> str:
        """Return the roots to believe: the newest, never an older set for which somebody might hold a stolen key."""
        if self.access is not None and not self.login_trust_is_new:
            return self.access.trust_pem
        brought = self.login.trust_pem if self.login is not None else ""
        return self._led[2] if self._led is not None and self._led[0] == trust_mark(brought) else brought

    def trust_epoch(self) -> int:
        """Return the epoch of `trust_pem()`; 0 while only a login file speaks for those roots."""
        return self.epoch if self.access is not None and not self.login_trust_is_new else 0

    def refresh(self, now: datetime) -> bool:
        """Read what has changed on disk; tell whether anything did.

        A cloudconfig that became unreadable is set aside and written anew from memory; one that was deleted is gone, as
        operators delete it to force a sign-in.
        """
        login_changed = self._login_watch is not None and self._login_watch.has_changed()
        if login_changed:
            self._read_login()
        access_changed = self._access_watch.has_changed()
        if access_changed:
            self._read_access(now)
        return login_changed or access_changed

    def swap(self, new: AccessFile, *, login: LoginFile | None) -> None:
        """Make `new` the credential, keeping the old one until `confirm`; `login` is the file that it came from.

        Raises:
            OSError, UnsafeFile: the disk refused; the old credential stays.
        """
        swap_access_file(self._settings.access_file, self.access, new)
        self._access_watch.mark()
        self.previous, self.access = self.access, new
        if login is not None:
            self.note_login(login)

    def confirm(self) -> None:
        """The present certificate was used: the one before it is no longer needed."""
        if self.previous is not None:
            with suppress(OSError):  # left behind, it is recognised or replaced later
                previous_path(self._settings.access_file).unlink()
            self.previous = None

    def fall_back(self) -> bool:
        """Return to the pair before the present one, if there is one; tell whether there was."""
        if self.previous is None:
            return False
        try:
            write_access_file(self._settings.access_file, self.previous)
        except (OSError, AgentError) as error:
            log.warning("pair before not restored", extra={"why": str(error)})
            return False
        self._access_watch.mark()
        self.access = self.previous
        self.confirm()
        return True

    def take_chained(self, epoch: int, bundle_pem: str) -> None:
        """Believe the roots to which the signed chain led from `trust_pem()`.

        Those of the cloudconfig are replaced there. Those of a login file that waits for its sign-in stay as they were
        brought, and the sign-in puts the newer ones into the cloudconfig.

        Raises:
            OSError, UnsafeFile: the cloudconfig could not be written; nothing was taken.
        """
        if self.access is not None and not self.login_trust_is_new:
            self.store_bundle(epoch, bundle_pem, chained=True)
        elif self.login is not None:
            self._led = (trust_mark(self.login.trust_pem), epoch, bundle_pem)

    def settle_chained(self) -> None:
        """After a sign-in with roots that the chain led to: note their epoch, and renew the login file's roots."""
        led, self._led = self._led, None
        if led is not None and self.access is not None and trust_mark(led[2]) == trust_mark(self.access.trust_pem):
            self.store_bundle(led[1], led[2], chained=True)

    def store_bundle(self, epoch: int, bundle_pem: str, *, chained: bool) -> None:
        """Keep newly published roots in the cloudconfig and, where it can be written, in the login file.

        `chained` tells that the signed chain led to them; later ones without a chain are then refused.

        Raises:
            InvalidInput: it is no bundle of CA certificates; nothing was stored.
            OSError, UnsafeFile: the cloudconfig could not be written.
        """
        if self.access is None:
            return
        for root in trust.split_bundle(bundle_pem):
            if not trust.is_authority(root):
                raise InvalidInput(f"the bundle of epoch {epoch} holds a certificate that is no CA; it is not stored")
        renewed = replace(self.access, trust_pem=bundle_pem)
        write_access_file(self._settings.access_file, renewed)
        self._access_watch.mark()
        self.access = renewed
        self.remember(replace(self.memory, epoch=epoch, bundle_trust=trust_mark(bundle_pem), chained=chained))
        if self.login is not None and not self.login_is_new:
            with suppress(OSError, AgentError):  # a read-only login file: the cloudconfig's roots are the newer ones
                self._write_login(self.login.with_trust(bundle_pem))

    def take_token(self, token: Secret) -> None:
        """Put a fresh token into the login file.

        Raises:
            InvalidInput: there is no login file to put it in.
            OSError, UnsafeFile: it could not be written; the old token stays.
        """
        if self.login is None:
            raise InvalidInput("there is no login file to write the fresh token to; deliver it by hand")
        fresh = self.login.with_token(token)
        path = self._login_path()
        write_login_file(path, fresh)
        if self._login_watch is not None:
            self._login_watch.mark()
        self.login = fresh

    def can_store_token(self) -> bool:
        """Tell whether a token could be written: the login file is there and its directory takes new files."""
        path = self._settings.login_file
        if path is None or self.login is None:
            return False
        return _is_writable_directory(path.parent) and not path.is_symlink()

    def note_login(self, login: LoginFile) -> None:
        """This login file was used: it is not news any more."""
        self.remember(
            replace(self.memory, login_token=token_mark(login.token), login_trust=trust_mark(login.trust_pem))
        )

    def remember(self, memory: Memory) -> None:
        """Keep something for the next start; a disk that refuses costs a sign-in then, so it is only logged."""
        if memory != self._record.memory:
            self._save(Record(status=self._record.status, memory=memory))

    def publish(self, status: Status) -> None:
        """Write the status for `mocdeck client status`, unless it says what is there already."""
        if not status.says_the_same_as(self._record.status):
            self._save(Record(status=status, memory=self.memory))

    def _save(self, record: Record) -> None:
        path = record_path(self._settings.access_file)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_record(path, record)
        except (OSError, AgentError) as error:
            log.warning("status file not written", extra={"path": str(path), "why": str(error)})
        self._record = record

    def _read_login(self) -> None:
        path = self._login_path()
        try:
            self.login = read_login_file(path)
            self.login_error = ""
        except FileNotFoundError:
            self.login = None
            self.login_error = f"{path}: there is no login file"
        except (AgentError, OSError) as error:  # what was read before stays in use
            self.login_error = str(error)

    def _read_access(self, now: datetime) -> None:
        path = self._settings.access_file
        existed = path.exists()
        found = find_access_file(path, now)
        held = self.access
        if found is None and existed:
            found = held or self._restorable(now)
            if found is not None:
                write_access_file(path, found)
                self._access_watch.mark()
        self.access = found
        if held is None and found is not None:
            self.previous = self._waiting_previous(found, now)

    def _restorable(self, now: datetime) -> AccessFile | None:
        return find_access_file(previous_path(self._settings.access_file), now)

    def _waiting_previous(self, present: AccessFile, now: datetime) -> AccessFile | None:
        """A pair left by a run that was killed between a swap and the first use; the same pair twice is none."""
        path = previous_path(self._settings.access_file)
        try:
            previous = find_access_file(path, now)
        except (OSError, AgentError):
            return None
        if previous is None or previous.serial == present.serial:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        return previous

    def _write_login(self, login: LoginFile) -> None:
        write_login_file(self._login_path(), login)
        if self._login_watch is not None:
            self._login_watch.mark()
        self.login = login
        self.note_login(login)

    def _login_path(self) -> Path:
        if self._settings.login_file is None:
            raise FileInvalid(self._settings.access_file, "", "a login file beside it, and none is configured")
        return self._settings.login_file


def _is_writable_directory(path: Path) -> bool:
    return os.access(path, os.W_OK | os.X_OK)
