"""The cast: a film of a real session; what it is made with, and that the one in the README is small enough to load."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from scripts.cast import LARGEST, STORY, Film, Step, play
from scripts.stage.paint import frame_of
from scripts.stage.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, time
sys.stdout.write("\\033[1;38;2;255;107;107mworst first\\033[0m\\r\\n")
sys.stdout.flush()
word = sys.stdin.readline().strip()
print(f"typed {word}")
sys.stdin.readline()
"""


@pytest.fixture
def terminal() -> Terminal:
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color"}
    return Terminal([sys.executable, "-c", PROGRAM], size=(30, 5), environment=environment)


def test_a_step_types_waits_for_what_it_must_see_and_stays_in_the_film(terminal: Terminal, tmp_path: Path) -> None:
    film = Film()
    story = [
        Step(caption="one", until="worst first", show=1.5),
        Step(caption="two", keys=("h", "i", "\r"), until="typed hi", show=0.5),
    ]
    play(terminal, story, film)
    assert film.frames[0][1] == "one"
    assert 1.5 <= film.frames[0][2] <= 2.0, "what was waited for before the first frame is not in the film"
    red = film.frames[0][0][0][0]
    assert (red.data, red.ink, red.bold) == ("w", "#ff6b6b", True)
    path = tmp_path / "film.gif"
    assert film.write(path) == path.stat().st_size
    with Image.open(path) as picture:
        assert getattr(picture, "n_frames", 1) == len(film.frames)
    terminal.send("\r")
    assert terminal.wait() == 0


def test_a_step_whose_text_never_comes_says_what_was_there_instead(terminal: Terminal) -> None:
    with pytest.raises(TimeoutError, match="worst first"):
        play(terminal, [Step(caption="x", until="never", patience=0.5)], Film())
    terminal.send("\r\r")
    terminal.wait()


def test_the_same_picture_twice_is_one_that_stays_longer(terminal: Terminal) -> None:
    while "worst first" not in terminal.text:
        terminal.pump(0.1)
    film, frame = Film(), frame_of(terminal.screen)
    film.take(frame, "a", 0.5)
    film.take(frame, "a", 0.25)
    film.take(frame, "b", 0.25)
    assert [seconds for _, _, seconds in film.frames] == [0.75, 0.25]
    terminal.send("\r\r")
    terminal.wait()


def test_the_film_of_the_readme_is_there_moves_and_is_small() -> None:
    path = ROOT / "screenshots" / "cast.gif"
    assert path.stat().st_size < LARGEST
    with Image.open(path) as picture:
        assert getattr(picture, "n_frames", 1) > len(STORY)
    assert "screenshots/cast.gif" in (ROOT / "README.md").read_text(encoding="utf-8")
