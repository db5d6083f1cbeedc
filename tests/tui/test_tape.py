"""The file of a recording: private, versioned, sealed line by line, read after a power cut, refused when changed."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.delta import FleetDelta
from tests.tui.staged_agent import SEEDS, detail_of, event, operation, snapshot
from tests.tui.staged_alerts import FOUND
from tui.gateway import AlertsView, ClientDetail, EventView, OperationView
from tui.plainvalues import NotAValue, from_json, to_json
from tui.tape import FORMAT, TapeInvalid, TapeNotWritten, TapeWriter, read_tape


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.mocdeck"


def written(path: Path, lines: int = 4) -> list[bytes]:
    tape = TapeWriter(path, {"context": "bonn"})
    for number in range(lines):
        tape.note(float(number), "lost", f"sentence {number}")
    tape.close()
    return path.read_bytes().splitlines(keepends=True)


def test_a_recording_is_private_names_its_format_and_is_read_back(path: Path) -> None:
    lines = written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f'"format":"{FORMAT}"'.encode() in lines[0]
    tape = read_tape(path)
    assert (tape.head["context"], len(tape.entries), tape.length, tape.is_cut) == ("bonn", 4, 3.0, False)
    assert [entry.value for entry in tape.entries] == [f"sentence {n}" for n in range(4)]


def test_a_recording_that_is_there_is_kept(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(TapeNotWritten, match="is there already"):
        TapeWriter(path, {})
    assert path.read_text() == "mine"
    with pytest.raises(TapeNotWritten, match="name another place"):
        TapeWriter(path.parent / "missing" / "file", {})


def test_wherever_the_last_line_is_cut_off_the_lines_before_it_are_played(path: Path) -> None:
    lines = written(path)
    before = b"".join(lines[:-1])
    for cut in range(len(lines[-1])):
        path.write_bytes(before + lines[-1][:cut])
        tape = read_tape(path)
        complete = cut == len(lines[-1]) - 1  # only the line's end is missing
        assert len(tape.entries) == (4 if complete else 3), cut
        assert tape.is_cut is (cut > 0)


def _drop(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], *lines[3:]]


def _change(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b"sentence 1", b"sentence 7"), *lines[3:]]


def _swap(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


def _repeat(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[2], *lines[3:]]


@pytest.mark.parametrize("damage", [_drop, _change, _swap, _repeat])
def test_a_line_that_was_changed_dropped_or_moved_is_named(
    path: Path, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    path.write_bytes(b"".join(damage(written(path))))
    with pytest.raises(TapeInvalid, match=r"line [345]: it was changed, or one before it is missing"):
        read_tape(path)


@pytest.mark.parametrize("text", [b"", b"\n", b"{}", b"not a recording\n", b"\xff\xfe\x00", b"0123456789abcdef {}\n"])
def test_what_is_no_recording_is_refused_with_its_name(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    with pytest.raises(TapeInvalid, match=path.name):
        read_tape(path)


def test_a_later_format_is_refused_by_its_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.tape.FORMAT", "mocdeck.recording/2")
    written(path)
    tape = path.read_bytes()
    monkeypatch.undo()
    path.write_bytes(tape)
    with pytest.raises(TapeInvalid):
        read_tape(path)


def test_a_full_disk_ends_the_recording_with_a_sentence(path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    tape = TapeWriter(path, {})
    os.dup2(os.open(full, os.O_WRONLY), tape._file)
    tape.note(0.0, "lost", "x")
    assert tape.failure.endswith("ends here: No space left on device")
    tape.note(1.0, "lost", "y")
    tape.close()


VALUES = [
    (FleetDelta, snapshot(SEEDS)),
    (ClientDetail, detail_of(SEEDS[0])),
    (OperationView, operation()),
    (EventView, event(2)),
    (AlertsView, FOUND),
    (AlertsView, AlertsView()),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda v: v.__name__ if isinstance(v, type) else "")
def test_every_value_of_the_gateway_comes_back_as_it_was(kind: type, value: object) -> None:
    assert to_json(from_json(kind, to_json(value))) == to_json(value)
    if kind is not FleetDelta:  # its columns may be of another sequence type
        assert from_json(kind, to_json(value)) == value


@pytest.mark.parametrize("kind", [kind for kind, _ in VALUES[:5]], ids=lambda k: k.__name__)
@pytest.mark.parametrize("data", [None, 7, "x", [], {"alerts": 7}, {"clients": {"number": ["x"]}}, {"id": 3}])
def test_json_of_another_form_is_refused_and_never_half_read(kind: type, data: object) -> None:
    if kind in {AlertsView, FleetDelta} and data == {"id": 3}:
        return  # both have a default for every field, and a later version may have more
    if (kind is AlertsView and isinstance(data, dict) and "clients" in data) or (
        kind is FleetDelta and isinstance(data, dict) and "alerts" in data
    ):
        return
    with pytest.raises(NotAValue):
        from_json(kind, data)


def test_texts_of_a_recording_are_made_inert_again() -> None:
    data = to_json(event(2))
    data["subject"] = "\x1b]0;title\x07"
    assert from_json(EventView, data).subject.isprintable()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_text_can_be_recorded(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        tape = TapeWriter(path, {})
        for text in texts:
            tape.note(0.0, "lost", text)
        tape.close()
        found = [entry.value for entry in read_tape(path).entries]
        assert [str(one) for one in found] == [t.encode("utf-8", "replace").decode() for t in texts]
