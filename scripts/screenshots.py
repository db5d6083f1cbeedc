"""Build the screenshots: SVGs of every view, PNGs of those that the README shows, from a fixed instant and fleet.

Run without arguments to write `screenshots/`, with `--check` to compare the SVGs with those that are committed, with
names to build only those. An SVG is self-contained: no font is fetched. The PNGs are drawn from the SVGs with a font
from the package index; they are not compared, since a newer renderer may draw a pixel differently. What is in the
pictures is `scripts.stage.scenes`'.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.stage.drive import stage  # noqa: E402 - the project root has to be importable first
from scripts.stage.scenes import SCENES  # noqa: E402 - likewise
from tui.picture import FAMILY, self_contained  # noqa: E402 - likewise

TARGET = ROOT / "screenshots"
CAST = "cast.gif"  # built by scripts/cast.py
FONTS = ("cascadia", "cascadiab", "cascadiai", "symbol2")
ZOOM = 1.25
COLOURS = 128  # of a PNG: a terminal has few, the rest are the edges of letters
CELL_FONT = ("font-size: 20px", "font-size: 20.82px")  # a cell is 12.2 wide; this font's letters are 0.586 of its size


async def draw(name: str) -> str:
    """Return the SVG of one scene."""
    scene = SCENES[name]
    options = {"ascii_only": False, **scene.options}
    async with stage(scene.size, **options) as made:
        await scene.act(made)
        await made.pilot.pause()
        return self_contained(made.app.export_screenshot(title="mocdeck"))


def shown() -> set[str]:
    """Return the names of the pictures that the README shows as PNG."""
    return set(re.findall(r"screenshots/([\w-]+)\.png", (ROOT / "README.md").read_text(encoding="utf-8")))


def png_of(svg: str, fonts: Path, zoom: float = ZOOM) -> bytes:
    """Return the picture of an SVG, drawn with the fonts in a directory, with few colours."""
    from PIL import Image

    picture = Image.open(io.BytesIO(drawn(svg, fonts, zoom))).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def drawn(svg: str, fonts: Path, zoom: float) -> bytes:
    """Return an SVG as a PNG of all its colours."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg.replace(*CELL_FONT),
            skip_system_fonts=True,
            font_dirs=[str(fonts)],
            font_family=FAMILY,
            monospace_family=FAMILY,
            zoom=zoom,
        )
    )


def lay_out_fonts(folder: Path) -> None:
    """Write the fonts where the renderer looks for them."""
    import pymupdf_fonts  # type: ignore[import-untyped]  # it ships no types

    for code in FONTS:
        (folder / f"{code}.ttf").write_bytes(pymupdf_fonts.fontbuffers[code]())


def build(names: Sequence[str], target: Path) -> None:
    """Write the pictures of these scenes; of all of them, and nothing else stays there."""
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        lay_out_fonts(Path(folder))
        for name in names or SCENES:
            svg = asyncio.run(draw(name))
            (target / f"{name}.svg").write_text(svg, encoding="utf-8")
            if name in shown():
                (target / f"{name}.png").write_bytes(png_of(svg, Path(folder)))
            print(f"{target.name}/{name}")
    if not names:
        for path in odd(target):
            path.unlink()
            print(f"{target.name}/{path.name} was of no scene and is gone")


def odd(target: Path) -> list[Path]:
    """Return the files that belong to no scene."""
    wanted = {f"{name}.svg" for name in SCENES} | {f"{name}.png" for name in shown()} | {CAST}
    return [path for path in sorted(target.iterdir()) if path.name not in wanted]


def check() -> int:
    """Compare the committed SVGs with what the screens show now; return the exit code."""
    stale = []
    for name in SCENES:
        path = TARGET / f"{name}.svg"
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        if committed != asyncio.run(draw(name)):
            stale.append(path.name)
        elif name in shown() and not path.with_suffix(".png").exists():
            stale.append(f"{name}.png")
    left_over = odd(TARGET)
    for name in stale:
        print(f"screenshots/{name} is not what the screen shows now; run: make screenshots", file=sys.stderr)
    for path in left_over:
        print(f"screenshots/{path.name} is of no scene; run: make screenshots", file=sys.stderr)
    return 1 if stale or left_over else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Build or compare the screenshots.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="build only these scenes")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when one differs")
    parser.add_argument("--into", type=Path, default=TARGET, metavar="DIRECTORY", help="build into another directory")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in SCENES]
    if unknown:
        parser.error(f"no scene {', '.join(unknown)}; there are {', '.join(SCENES)}")
    os.environ.pop("NO_COLOR", None)
    if arguments.check:
        return check()
    build(arguments.names, arguments.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
