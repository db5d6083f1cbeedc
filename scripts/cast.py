"""Build the cast: a real `mocdeck demo` session as an animated GIF, from triage over a renewal to a CA rotation.

The agent, its clients and the dashboard are the real ones; keys come from the storyboard, and each step waits for what
it must see, so that a slow machine makes a slower session and the same film. Waiting is shown faster than it was. The
result is not compared with anything: dates and serials are those of the day.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402 - the project root has to be importable first

from scripts.stage.paint import Frame, frame_of, paint, palette_of  # noqa: E402 - likewise
from scripts.stage.terminal import Terminal  # noqa: E402 - likewise

TARGET = ROOT / "screenshots" / "cast.gif"
SIZE: Final = (110, 32)
LARGEST: Final = 3_000_000  # bytes
LOOK: Final = 0.25  # seconds between two looks at the screen
TYPING: Final = 0.45  # between two keys: nobody types faster than that what changes something
AGAIN: Final = 3.0  # seconds after which keys are pressed anew
LEAST_MS: Final = 80
ESCAPE: Final = "\x1b"
TAB: Final = "\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Keys, what has to appear after them, and how long it stays in the film.

    `until` is a pattern over the whole screen; `again`: the keys are pressed anew every few seconds until it is seen.
    `faster`: what is waited for runs this many times faster in the film.
    """

    caption: str
    keys: Sequence[str] = ()
    until: str = ""
    again: bool = False
    show: float = 1.0
    faster: float = 1.0
    patience: float = 60.0


TRIAGE = "triage: every client, worst first, with its countdown and its next step"
DETAIL = "why: one client in full, what happens if nothing is done, and what helps"
RENEW = "renew: a preview first, then ten seconds to take it back, then seen in use"
ROTATE = "rotate the CA with overlap: nobody loses the agent, and who is not reached is known beforehand"
CONFIRM = "confirmed by typing the deployment's name and the number of warnings"
TRUSTED = "both roots are trusted; every client proves it before anything depends on it"
ISSUING = "the new CA issues: clients renew in waves, counted when their certificate is seen in use"

MET = "every gate of this phase is met"

STORY: Final = (
    Step(caption=TRIAGE, until="worst first", show=2.5, patience=120),
    Step(caption=TRIAGE, keys=("j", "j", "j"), show=1.0),
    Step(caption=TRIAGE, keys=("k", "k", "k"), show=0.6),
    Step(caption=DETAIL, keys=("d",), until="IDENTITY", show=3.0),
    Step(caption=DETAIL, keys=(ESCAPE,), until="worst first", show=0.6),
    Step(caption=RENEW, keys=("/", *"ledger-csi", "\r"), until="filter: ledger-csi", show=1.0),
    Step(caption=RENEW, keys=("R",), until=r"\[y\] Renew", show=2.5),
    Step(caption=RENEW, keys=("y",), until="is in use", show=2.5, faster=5),
    Step(caption=RENEW, keys=(ESCAPE,), show=0.6),
    Step(caption=ROTATE, keys=("X",), until="PLAN: ROTATE", show=3.0),
    Step(caption=CONFIRM, keys=("C",), until="Type the deployment", show=1.2),
    Step(caption=CONFIRM, keys=(*"harbor", TAB, "1", TAB, *"OPS-4502", TAB), until="y acts when", faster=2),
    Step(caption=TRUSTED, keys=("y",), until=MET, show=1.5, faster=3),
    Step(caption=TRUSTED, keys=("P",), until=r"\[y\] Go on", again=True, show=1.5),
    Step(caption=TRUSTED, keys=(TAB, "y"), until="> Z3", show=0.5),
    Step(caption=TRUSTED, until=MET + r".*proved its trust +2\d", show=2.0, faster=4),
    Step(caption=ISSUING, keys=("P",), until=r"\[y\] Go on", again=True, show=1.5),
    Step(caption=ISSUING, keys=(TAB, "y"), until="> Z4", show=0.5),
    Step(caption=ISSUING, until=MET + r".*on the new CA +2\d.*proved its trust +0", show=4.0, faster=3),
)


class Film:
    """Frames with their captions and durations; the same picture twice is one that stays longer."""

    def __init__(self) -> None:
        self.frames: list[tuple[Frame, str, float]] = []

    def take(self, frame: Frame, caption: str, seconds: float) -> None:
        """Add what the screen showed for so long."""
        if self.frames and self.frames[-1][:2] == (frame, caption):
            seconds += self.frames.pop()[2]
        self.frames.append((frame, caption, seconds))

    def write(self, path: Path) -> int:
        """Write the GIF and return its size."""
        pictures = [paint(frame, caption) for frame, caption, _ in self.frames]
        palette = palette_of([frame for frame, _, _ in self.frames])
        made = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
        durations = [max(LEAST_MS, round(seconds * 1000)) for _, _, seconds in self.frames]
        made[0].save(path, save_all=True, append_images=made[1:], duration=durations, loop=0, disposal=1, optimize=True)
        return path.stat().st_size


def play(terminal: Terminal, story: Sequence[Step], film: Film) -> None:
    """Go through the storyboard.

    Raises:
        TimeoutError: what a step waits for has not come; the text is what the screen showed instead.
    """
    for step in story:
        _press(terminal, film, step)
        waited = 0.0
        while not re.search(step.until, terminal.text, re.DOTALL):
            if waited > step.patience:
                raise TimeoutError(f"{step.until!r} did not come within {step.patience:g} s:\n{terminal.text}")
            _look(terminal, film, step.caption, LOOK, LOOK / step.faster)
            waited += LOOK
            if step.again and not waited % AGAIN:
                _press(terminal, film, step)
        _look(terminal, film, step.caption, LOOK, step.show)


def _press(terminal: Terminal, film: Film, step: Step) -> None:
    quick = 2 if len(step.keys) > 4 else 1
    for key in step.keys:
        terminal.send(key)
        _look(terminal, film, step.caption, TYPING, TYPING / quick / step.faster)


def _look(terminal: Terminal, film: Film, caption: str, seconds: float, shown: float) -> None:
    """Let the program go on for so many seconds, and show what it shows then for so many seconds of the film."""
    if not terminal.pump(seconds):
        raise TimeoutError(f"the demo has ended:\n{terminal.text}")
    frame = frame_of(terminal.screen)
    if any(cell.data != " " for row in frame for cell in row):  # before the first frame there is nothing to show
        film.take(frame, caption, shown)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the animated GIF of a demo session.")
    parser.add_argument("--output", type=Path, default=TARGET, metavar="FILE")
    path = parser.parse_args().output
    film = Film()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR"}},
            "HOME": home,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "backend.cli", "demo"]
        terminal = Terminal(command, size=SIZE, environment=environment)
        try:
            play(terminal, STORY, film)
        except TimeoutError as problem:
            print(problem, file=sys.stderr)
            return 1
        finally:
            terminal.send("\x11")  # ctrl+q: the demo removes what it made
            terminal.wait()
    size = film.write(path)
    print(f"{path.name}: {len(film.frames)} frames, {size / 1e6:.2f} MB")
    return 0 if size < LARGEST else 1


if __name__ == "__main__":
    sys.exit(main())
