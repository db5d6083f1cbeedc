"""The scenes of the CA rotation with overlap: its plan, its confirmation, wave 2 of 4, rolled back; and a rehearsal."""

from __future__ import annotations

from scripts.stage.drive import Stage
from scripts.stage.overlap import StagedOverlap


async def plan(stage: Stage) -> None:
    """Every client's way through."""
    await stage.press("X", gap=0)


async def confirm(stage: Stage) -> None:
    """Everything typed, and a second person awaited."""
    stage.agent.wants_approval = True
    await _typed(stage)


async def _typed(stage: Stage) -> None:
    await stage.press("X", gap=0)
    await stage.press("C")
    await stage.type("bonn\t1\tOPS-4502")


async def start(stage: Stage) -> StagedOverlap:
    """Confirm the plan; return what runs then."""
    await _typed(stage)
    await stage.press("tab", "y")
    rotation = stage.agent.staged_overlap
    assert rotation is not None  # noqa: S101 - the confirmation above has just started it
    return rotation


async def issuing(stage: Stage) -> None:
    """Wave 2 of 4."""
    await _issue(stage)


async def _issue(stage: Stage) -> StagedOverlap:
    rotation, agent = await start(stage), stage.agent
    await stage.seconds(3)
    for _ in range(2):
        rotation.move_on(agent.now)
        await stage.seconds(4)
    for _ in range(6):
        rotation.prove(6, agent.now)
        rotation.probe(agent.now)
        await stage.seconds(9)
    rotation.move_on(agent.now)
    rotation.use(5, 1, agent.now)
    rotation.probe(agent.now)
    await stage.seconds(31)
    rotation.use(5, 1, agent.now)
    for _ in range(9):
        rotation.probe(agent.now)
    agent.tell()
    await stage.seconds(4)
    return rotation


async def rolled_back(stage: Stage) -> None:
    """From wave 2 back to the old CA, to the end."""
    rotation, agent = await _issue(stage), stage.agent
    await stage.press("B")
    await stage.type("bonn\tOPS-4502: wave 2 waits for a vendor\t")
    await stage.press("y")
    for _ in range(2):
        rotation.move_on(agent.now)
        await stage.seconds(8)
    rotation.use(4, 99, agent.now)
    for _ in range(2):
        rotation.move_on(agent.now)
        await stage.seconds(3)
    agent.tell()
    await stage.seconds(14)


async def rehearsed(stage: Stage) -> None:
    """A rehearsal that ended with one client that would have blocked."""
    agent = stage.agent
    await stage.press("X", gap=0)
    await stage.press("r", "C")
    await stage.type("OPS-4500 rehearsal\t")
    await stage.press("y")
    rehearsal = agent.staged_overlap
    assert rehearsal is not None  # noqa: S101 - the confirmation above has just started it
    for number in (14, 9, 8, 4):
        await stage.seconds(11)
        rehearsal.prove(number, agent.now)
    rehearsal.fail("wl5-cloud-prov-2", "tls: certificate signed by unknown authority", agent.now)
    await stage.seconds(60)
    rehearsal.end_rehearsal("rehearsed", agent.now)
    agent.tell()
    await stage.seconds(14)
