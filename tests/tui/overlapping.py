"""Steps that the tests of the CA rotation with overlap share: up to its confirmation, its start, and a phase."""

from __future__ import annotations

from backend.core.overlap import OverlapPhase
from scripts.stage.drive import Stage
from scripts.stage.overlap import StagedOverlap
from tui.screens.rotation import RotationScreen


async def confirm(made: Stage) -> None:
    """Open the plan and fill the confirmation; the last key is left to the test."""
    await made.press("X", "C")
    await made.type("bonn\t1\tOPS-4502\t")


async def started(made: Stage) -> StagedOverlap:
    await confirm(made)
    await made.press("y")
    assert made.agent.staged_overlap is not None
    return made.agent.staged_overlap


def screen(made: Stage) -> RotationScreen:
    found = made.app.screen
    assert isinstance(found, RotationScreen), found
    return found


def words(made: Stage) -> str:
    """What is shown, without where its lines break."""
    return " ".join(made.text.split())


async def advance_to(made: Stage, rotation: StagedOverlap, phase: OverlapPhase) -> None:
    """Let clients and agent do their part until a phase is entered."""
    for _ in range(len(OverlapPhase)):
        if rotation.phase is phase:
            break
        now = made.agent.now
        rotation.prove(99, now)
        if rotation.phase is OverlapPhase.ISSUING:
            rotation.use(5, 99, now)
        rotation.move_on(now)
        rotation.probe(now)
    assert rotation.phase is phase
    made.agent.tell()
    await made.seconds(2)


def screen_behind(made: Stage) -> RotationScreen:
    found = made.app.deck
    assert isinstance(found, RotationScreen)
    return found
