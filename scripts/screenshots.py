"""Build the screenshots: SVG and PNG of the screens that the README shows, from a fixed instant and a fixed fleet.

Run without arguments to write `screenshots/`, with `--check` to compare the SVGs with those that are committed. An SVG
is self-contained: no font is fetched. The PNGs are drawn from the SVGs with a font from the package index; they are not
compared, since a newer renderer may draw a pixel differently.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.stage.drive import Stage, stage  # noqa: E402 - the project root has to be importable first
from tui.picture import FAMILY, self_contained  # noqa: E402 - likewise

TARGET = ROOT / "screenshots"
SMALL = (80, 24)
LARGE = (140, 40)
FONTS = ("cascadia", "cascadiab", "cascadiai", "symbol2")
ZOOM = 1.25
CELL_FONT = ("font-size: 20px", "font-size: 20.82px")  # a cell is 12.2 wide; this font's letters are 0.586 of its size

Scene = Callable[[Stage], Awaitable[None]]


async def _fleet(stage: Stage) -> None:
    await stage.choose("nodeagent-07")


async def _fleet_large(stage: Stage) -> None:
    await stage.choose("nodeagent-07", "nodeagent-08")
    await stage.choose("nodeagent-07")


async def _detail(stage: Stage) -> None:
    await stage.choose("nodeagent-07")
    await stage.press("d", gap=0)


async def _renewal(stage: Stage) -> None:
    await stage.choose("nodeagent-07")
    await stage.press("R", gap=0)


async def _renewal_set(stage: Stage) -> None:
    await stage.choose("nodeagent-07", "nodeagent-08", "kva-01", "cloud-operator", "wl3-csi-3", "lb-agent-1")
    await stage.press("R", gap=0)
    await stage.type("3")


async def _plan(stage: Stage) -> None:
    await stage.press("X", gap=0)


async def _confirm(stage: Stage) -> None:
    await stage.press("X", gap=0)
    await stage.press("C")
    await stage.type("bonn\t1\tOPS-4502")


async def _progress(stage: Stage) -> None:
    await _confirm(stage)
    await stage.press("tab", "y")
    rotation = stage.agent.staged_rotation
    assert rotation is not None  # noqa: S101 - the confirmation above has just started it
    agent = stage.agent
    rotation.move_on(agent.now)
    await stage.seconds(4)
    rotation.inform(99, agent.now)
    await stage.seconds(26)
    rotation.move_on(agent.now)
    await stage.seconds(2)
    rotation.move_on(agent.now)
    await stage.seconds(1)
    rotation.move_on(agent.now)
    rotation.errors["caph-02"] = "tls: certificate signed by unknown authority"
    for _ in range(4):
        await stage.seconds(4)
        rotation.bring_back(7, agent.now)
    agent.tell()
    await stage.seconds(2)


SCENES: dict[str, tuple[tuple[int, int], Scene]] = {
    "fleet-80x24": (SMALL, _fleet),
    "fleet-140x40": (LARGE, _fleet_large),
    "client": (LARGE, _detail),
    "renewal": (SMALL, _renewal),
    "renewal-set": (SMALL, _renewal_set),
    "rotation-plan": (LARGE, _plan),
    "rotation-confirm": (SMALL, _confirm),
    "rotation-progress": (LARGE, _progress),
}


async def draw(name: str) -> str:
    """Return the SVG of one scene."""
    size, scene = SCENES[name]
    async with stage(size, ascii_only=False) as made:
        await scene(made)
        await made.pilot.pause()
        return self_contained(made.app.export_screenshot(title="mocdeck"))


def png_of(svg: str, fonts: Path) -> bytes:
    """Return the picture of an SVG, drawn with the fonts in a directory."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg.replace(*CELL_FONT),
            skip_system_fonts=True,
            font_dirs=[str(fonts)],
            font_family=FAMILY,
            monospace_family=FAMILY,
            zoom=ZOOM,
        )
    )


def _lay_out_fonts(folder: Path) -> None:
    import pymupdf_fonts  # type: ignore[import-untyped]  # it ships no types

    for code in FONTS:
        (folder / f"{code}.ttf").write_bytes(pymupdf_fonts.fontbuffers[code]())


def build() -> None:
    """Write all pictures."""
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _lay_out_fonts(Path(folder))
        for name in SCENES:
            svg = asyncio.run(draw(name))
            (TARGET / f"{name}.svg").write_text(svg, encoding="utf-8")
            (TARGET / f"{name}.png").write_bytes(png_of(svg, Path(folder)))
            print(f"screenshots/{name}.svg and .png")


def check() -> int:
    """Compare the committed SVGs with what the screens show now; return the exit code."""
    stale = []
    for name in SCENES:
        path = TARGET / f"{name}.svg"
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        if committed != asyncio.run(draw(name)):
            stale.append(path.name)
        elif not path.with_suffix(".png").exists():
            stale.append(f"{name}.png")
    odd = [path.name for path in TARGET.glob("*.svg") if path.stem not in SCENES]
    for name in stale:
        print(f"screenshots/{name} is not what the screen shows now; run: make screenshots", file=sys.stderr)
    for name in odd:
        print(f"screenshots/{name} is of no scene; remove it", file=sys.stderr)
    return 1 if stale or odd else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Build or compare the screenshots.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when one differs")
    os.environ.pop("NO_COLOR", None)
    if parser.parse_args().check:
        return check()
    build()
    return 0


if __name__ == "__main__":
    sys.exit(main())
