"""Names that would restyle, retitle or misalign a terminal do nothing, on every screen and in every line (check 10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.tui.staged_agent import HOSTILE, Seed, StagedAgent, event
from tui.app import MocdeckApp
from tui.link_options import LinkOptions

MakeApp = Callable[..., MocdeckApp]
DAY = timedelta(days=1)
# What the dashboard itself writes: places, styles, a frame shown at once, the question for the cursor.
OURS = re.compile(r"\x1b\[(?:[0-9;]*[HGm]|\?2026[hl]|6n)|\n")
WALK = ("d", "escape", "a", "escape", "s", "escape", "y", "escape", "l", "escape", "R", "escape", "2", "3", "enter")
LATER = ("escape", "5", "enter", "escape", "6", "enter", "escape", "7", "enter", "8", "9", "question_mark", "escape")


class HostileAgent(StagedAgent):
    def __init__(self) -> None:
        names = [name for name in HOSTILE if len(name) < 200]
        super().__init__([Seed(name=name, left=9 * DAY, token=9 * DAY, cluster=name, owner=name) for name in names])
        self.audit = [event(n, subject=name, actor=name, detail=(("why", name),)) for n, name in enumerate(HOSTILE)]
        one = self.operations_kept[0]
        targets = tuple(replace(one.targets[0], name=name, step=name) for name in names)
        self.operations_kept = [replace(one, targets=targets, reason="\x1b[31m\u202e\x07")]


@pytest.mark.parametrize("diff", [True, False], ids=["changed cells", "whole lines"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["ascii", "utf-8"])
async def test_no_screen_lets_a_control_out_and_every_line_is_as_wide_as_the_screen(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, diff: bool, ascii_only: bool
) -> None:
    app = make_app(gateway=HostileAgent(), ascii_only=ascii_only, options=LinkOptions(diff=diff))
    written: list[str] = []
    seen = set()
    async with app.run_test(size=(140, 40)) as pilot:
        await app.settled()
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        monkeypatch.setattr(MocdeckApp, "is_headless", property(lambda _: False))
        for key in (*WALK, *LATER):
            await pilot.press(key)
            await app.settled()
            await pilot.pause(0.02)
            seen.add(type(app.screen).__name__)
            for strip in app.screen._compositor.render_strips():
                assert strip.cell_length == 140, (key, strip.text)
        app.notice(f"renew: no client {HOSTILE[0]} {HOSTILE[2]} {HOSTILE[4]}", "error")
        await pilot.pause(0.02)
    text = OURS.sub("", "".join(written))
    assert len(text) > 1000
    assert re.findall(r".{0,20}[^\x20-\x7e\xa0-\uffff].{0,20}", text) == []
    assert [c for c in set(text) if not c.isprintable()] == []
    assert not ascii_only or text.isascii()
    assert len(seen) >= 9, seen
