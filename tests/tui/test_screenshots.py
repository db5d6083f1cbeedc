"""The screenshots' script: self-contained pictures of a fixed instant."""

from __future__ import annotations

from pathlib import Path

from scripts import screenshots

ROOT = Path(__file__).resolve().parents[2]


async def test_a_scene_is_the_same_picture_each_time_and_fetches_nothing() -> None:
    first = await screenshots.draw("renewal")
    assert first == await screenshots.draw("renewal")
    assert "http" not in first.replace("http://www.w3.org/", "")
    assert "@font-face" not in first


def test_every_scene_has_both_pictures_and_no_picture_is_left_over() -> None:
    kept = {path.name for path in (ROOT / "screenshots").iterdir()}
    assert kept == {f"{name}.{kind}" for name in screenshots.SCENES for kind in ("svg", "png")}
