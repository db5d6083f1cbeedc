import os
import stat
from pathlib import Path

import pytest

from backend.pki.files import UnsafeFile, make_private_directory, read_private, write_atomic


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_a_written_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "cloudconfig"
    write_atomic(path, b"x" * 100_000)
    assert path.read_bytes() == b"x" * 100_000
    assert mode_of(path) == 0o600
    assert names_in(tmp_path) == ["cloudconfig"]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "a", b"", mode=0o644)
        write_atomic(tmp_path / "b", b"")
    finally:
        os.umask(before)
    assert (mode_of(tmp_path / "a"), mode_of(tmp_path / "b")) == (0o644, 0o600)


def test_replacing_tightens_the_mode_of_a_loose_old_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_atomic(path, b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", 0o600)


@pytest.mark.parametrize("step", ["write", "fchmod", "fsync", "replace", "close"])
@pytest.mark.parametrize("failure", [OSError("disk"), KeyboardInterrupt()])
def test_a_failure_before_the_rename_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: BaseException
) -> None:
    path = tmp_path / "key"
    write_atomic(path, b"old")
    real_close = os.close

    def fail(*arguments: int) -> None:
        if step == "close":
            real_close(arguments[0])
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(type(failure)):
            write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["key"]


def test_a_failure_after_the_rename_leaves_the_new_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    write_atomic(path, b"old")
    real, calls = os.fsync, []

    def fail_on_the_directory(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError("disk")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail_on_the_directory)
    with pytest.raises(OSError, match="disk"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == ["key"]


def test_while_it_is_being_written_nobody_else_can_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.write

    def watch(descriptor: int, data: bytes) -> int:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return real(descriptor, data[:2])  # short writes, as a nearly full disk gives

    monkeypatch.setattr(os, "write", watch)
    write_atomic(tmp_path / "key", b"12345")
    assert seen == [0o600] * 3
    assert (tmp_path / "key").read_bytes() == b"12345"


def test_a_link_is_not_followed_and_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"theirs")
    link = tmp_path / "key"
    link.symlink_to(target)
    with pytest.raises(UnsafeFile, match="not a regular file"):
        write_atomic(link, b"mine")
    assert target.read_bytes() == b"theirs"


def test_a_missing_directory_is_an_os_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_atomic(tmp_path / "nowhere" / "key", b"")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_private_file_that_others_may_reach_is_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "login.yaml"
    path.write_bytes(b"token")
    path.chmod(mode)
    with pytest.raises(UnsafeFile, match=f"chmod 600 {path}"):
        read_private(path, 100)


def test_size_limit_of_a_private_file_is_inclusive(tmp_path: Path) -> None:
    path = tmp_path / "login.yaml"
    write_atomic(path, b"12345")
    assert read_private(path, 5) == b"12345"
    with pytest.raises(UnsafeFile, match="5 bytes"):
        read_private(path, 4)


def test_links_to_private_files_are_read_unless_refused(tmp_path: Path) -> None:
    write_atomic(tmp_path / "real", b"token")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert read_private(link, 100) == b"token"
    with pytest.raises(UnsafeFile, match="symbolic link"):
        read_private(link, 100, follow_links=False)


def test_pipes_and_directories_are_not_private_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(UnsafeFile, match="regular file"):
        read_private(tmp_path / "pipe", 100)
    with pytest.raises(UnsafeFile, match="regular file"):
        read_private(tmp_path, 100)
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "none", 100)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owners(tmp_path: Path) -> None:
    """The owner of a replaced file is kept, and a stranger's file is refused."""
    path = tmp_path / "login.yaml"
    write_atomic(path, b"old")
    os.chown(path, 12345, 12345)
    write_atomic(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid, mode_of(path)) == (12345, 12345, 0o600)
    with pytest.raises(UnsafeFile, match="belongs to user 12345"):
        read_private(path, 100)


def test_private_directories(tmp_path: Path) -> None:
    """One is made with mode 0700, found again, and refused when loose, a link or no directory."""
    path = tmp_path / "state" / "keys"
    make_private_directory(path)
    make_private_directory(path)
    assert mode_of(path) == 0o700
    path.chmod(0o750)
    with pytest.raises(UnsafeFile, match=f"chmod 700 {path}"):
        make_private_directory(path)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(UnsafeFile, match="symbolic link"):
        make_private_directory(tmp_path / "link")
    (tmp_path / "file").touch(0o600)
    with pytest.raises(UnsafeFile, match="not a directory"):
        make_private_directory(tmp_path / "file")
