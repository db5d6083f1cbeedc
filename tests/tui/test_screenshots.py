"""The screenshots' script: self-contained pictures of a fixed instant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import screenshots
from scripts.stage.drive import stage
from scripts.stage.scenes import SCENES, SIZES, VIEWS
from tui.picture import shortened

ROOT = Path(__file__).resolve().parents[2]


async def test_a_scene_is_the_same_picture_each_time_and_fetches_nothing() -> None:
    first = await screenshots.draw("renewal-80x24")
    assert first == await screenshots.draw("renewal-80x24")
    assert "http" not in first.replace("http://www.w3.org/", "")
    assert "@font-face" not in first


def test_every_scene_has_its_picture_those_of_the_readme_are_png_too_and_none_is_left_over() -> None:
    kept = {path.name for path in (ROOT / "screenshots").iterdir()}
    assert screenshots.odd(ROOT / "screenshots") == []
    assert kept >= {f"{name}.svg" for name in SCENES} | {f"{name}.png" for name in screenshots.shown()}
    assert screenshots.shown() <= set(SCENES), "a PNG in the README is of a scene"


def test_each_view_is_drawn_at_both_sizes_and_the_list_without_colour_and_in_ascii() -> None:
    assert {scene.size for scene in SCENES.values()} == set(SIZES)
    for view in VIEWS:
        assert all(f"{view}-{width}x{height}" in SCENES for width, height in SIZES)
    assert {"fleet-mono-80x24", "fleet-ascii-80x24"} <= set(SCENES)


async def test_shortening_a_picture_takes_no_letter_from_it() -> None:
    async with stage((80, 24), ascii_only=False) as made:
        await SCENES["fleet-80x24"].act(made)
        whole = made.app.export_screenshot(title="mocdeck")
    short = shortened(whole)
    assert len(short) < 0.7 * len(whole)
    assert letters(short) == letters(whole)
    assert area(short) == pytest.approx(area(whole), rel=0.001)


def letters(svg: str) -> list[str]:
    """What is written, and where."""
    found = re.findall(r'<text class="[^"]*" x="([^"]*)" y="([^"]*)"[^>]*>([^<]*)</text>', svg)
    return [f"{x} {y} {text}" for x, y, raw in found if (text := raw.replace("&#160;", "\u00a0")).strip("\u00a0")]


def area(svg: str) -> float:
    """How much of the picture is filled with cells."""
    return sum(float(width) for width in re.findall(r'width="([\d.]+)" height="24\.65" shape-rendering', svg))
