"""The dashboard on a slow link, beside the stock table in the same run: bytes a second, and how late a key is seen."""

from __future__ import annotations

import os
import select
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
import pytest

from tests.tui.terminal import NOT_FOR_PYTE, Terminal

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
BYTES_A_SECOND = 6000  # 48 kbit/s
SLICE = 0.02
KEYS = 8
PATIENCE = 8.0
SIZES = ((80, 24), (140, 40))


class NarrowTerminal(Terminal):
    """A terminal behind a link that lets so many bytes through a second; it draws as they come."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shown = pyte.Screen(*self.size)
        self._stream = pyte.Stream(self._shown)
        self._fed = 0

    def read(self, seconds: float) -> bytes:
        if not select.select([self.master], [], [], max(0.0, seconds))[0]:
            return b""
        select.select([], [], [], SLICE)
        piece = os.read(self.master, int(BYTES_A_SECOND * SLICE))
        self.written += piece
        self._answer()
        return piece

    def display(self) -> list[str]:
        whole = self.written.rfind(b"\x1b")  # what follows the last escape may be cut
        if whole > self._fed:
            self._stream.feed(NOT_FOR_PYTE.sub("", self.written[self._fed : whole].decode("utf-8", "replace")))
            self._fed = whole
        return list(self._shown.display)


def ours(directory: Path, size: tuple[int, int], *rest: str, kind: type[Terminal] = Terminal) -> Terminal:
    return kind(["fleet", str(directory), "1000", *rest], {"COLORTERM": "truecolor"}, size=size, answers=True)


def stock(size: tuple[int, int], kind: type[Terminal] = Terminal) -> Terminal:
    colour = {"COLORTERM": "truecolor"}
    return kind(["1000"], colour, size=size, answers=True, module="tests.bench.table_program")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_bytes_a_second(tmp_path: Path, row: Any, size: tuple[int, int]) -> None:
    for what, terminal in (
        ("dashboard", ours(tmp_path / "a", size)),
        ("dashboard, whole lines", ours(tmp_path / "b", size, "plain")),
        ("stock table, visible cells", stock(size)),
    ):
        try:
            terminal.wait_for("csi-000003")
            terminal.pump(3.0)
            costs = [len(terminal.pump(1.0)) for _ in range(12)]
        finally:
            terminal.close()
        budget = "budget 800" if what == "dashboard" else ""
        row(f"{what}, {size[0]}x{size[1]}: bytes a tick", f"{statistics.median(costs):,.0f}", budget)


def test_nothing_is_written_in_thirty_seconds_that_nobody_looks(tmp_path: Path, row: Any) -> None:
    terminal = ours(tmp_path, (140, 40))
    try:
        terminal.wait_for("csi-000003")
        terminal.pump(2.0)
        terminal.press(b"\x1b[O")
        terminal.pump(1.5)
        row("dashboard without focus: bytes in 28 s", f"{len(terminal.pump(28.0))}", "one tick in thirty seconds")
    finally:
        terminal.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_how_late_a_key_is_seen_at_48_kbit(tmp_path: Path, row: Any, size: tuple[int, int]) -> None:
    def ours_shows(terminal: Terminal, keys: int) -> bool:
        return any(line.startswith(">") and f"csi-{keys:06}" in line for line in terminal.display())

    def stock_shows(terminal: Terminal, keys: int) -> bool:
        return f"keys {keys} " in f"{terminal.display()[0]} "

    for what, terminal, shows in (
        ("dashboard", ours(tmp_path, size, kind=NarrowTerminal), ours_shows),
        ("stock table", stock(size, NarrowTerminal), stock_shows),
    ):
        try:
            terminal.wait_for("csi-000003", 60.0)
            terminal.pump(4.0)
            late = [delay_of_key(terminal, number, shows) for number in range(1, KEYS + 1)]
        finally:
            terminal.close()
        seen = [delay for delay in late if delay is not None]
        figure = f"{statistics.median(seen):.2f} s, worst {max(seen):.2f} s" if seen else "never"
        lost = f"{KEYS - len(seen)} of {KEYS} not within {PATIENCE:.0f} s"
        row(f"{what}, {size[0]}x{size[1]}, 48 kbit/s: key seen after", figure, lost)


def delay_of_key(terminal: Terminal, number: int, shows: Callable[[Terminal, int], bool]) -> float | None:
    """Press a key; return the seconds until the terminal shows it, None if that takes too long."""
    began = time.monotonic()
    terminal.press(b"j")
    while time.monotonic() - began < PATIENCE:
        terminal.read(0.05)
        if shows(terminal, number):
            delay = time.monotonic() - began
            terminal.pump(0.7)
            return delay
    return None
