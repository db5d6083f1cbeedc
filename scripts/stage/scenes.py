"""The scenes of the screenshots: a name, and what is done on the staged site before the picture is taken.

Each scene is drawn at every size of `SIZES`; a new view is one line in `VIEWS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from textual import events

from scripts.stage import overlap_scenes
from scripts.stage.drive import Stage
from scripts.stage.sites import other_sites

Act = Callable[[Stage], Awaitable[None]]
SIZES: Final = ((80, 24), (140, 40))
SET: Final = ("nodeagent-07", "nodeagent-08", "kva-01", "cloud-operator", "wl3-csi-3", "lb-agent-1")
PASTED: Final = """\
E1122 16:51:58 controller.go:114] rpc error: code = Unavailable desc = connection error: transport: authentication
handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One picture: its size, what is done first, and how the stage is set."""

    size: tuple[int, int]
    act: Act
    options: Mapping[str, Any] = field(default_factory=dict)


def keys(*pressed: str) -> Act:
    """Press keys, that is all."""

    async def act(stage: Stage) -> None:
        await stage.press(*pressed)

    return act


async def _fleet(stage: Stage) -> None:
    if stage.app.size.width >= 100:
        await stage.choose("nodeagent-07", "nodeagent-08")
    await stage.choose("nodeagent-07")


async def _client(stage: Stage) -> None:
    await stage.choose("nodeagent-07")
    await stage.press("d", gap=0)


async def _actions(stage: Stage) -> None:
    await stage.choose("wl3-kms-3")
    await stage.press("a", gap=0)


async def _renewal(stage: Stage) -> None:
    await stage.choose("nodeagent-07")
    await stage.press("R", gap=0)


async def _renewal_set(stage: Stage) -> None:
    await stage.choose(*SET)
    await stage.press("R", gap=0)
    await stage.type("4")


async def _jobs(stage: Stage) -> None:
    await _renewal_set(stage)
    await stage.confirm()
    names = [target.name for target in next(iter(stage.agent.operations_kept.values())).targets]
    stage.agent.work(names[0], "done", result="renewed", new_serial="77de5f2a91c00f42")
    stage.agent.work(names[1], "ordered", step="told with its heartbeat")
    stage.agent.tell()
    await stage.press("escape", "5")
    await stage.seconds(2)


async def _diagnose(stage: Stage) -> None:
    await stage.press("9")
    stage.app.post_message(events.Paste(PASTED))
    await stage.settle()


async def _confirm(stage: Stage) -> None:
    await stage.press("X", gap=0)
    await stage.press("d", "C")
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


async def _sites(stage: Stage) -> None:
    stage.others[1].cut()
    await stage.seconds(24)


async def _filter(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("left<30d !cluster:bonn-mgmt")


VIEWS: Final[Mapping[str, Act]] = {
    "fleet": _fleet,
    "client": _client,
    "actions": _actions,
    "filter": _filter,
    "commands": keys("colon", "r", "o"),
    "timeline": keys("2"),
    "clusters": keys("3"),
    "jobs": _jobs,
    "events": keys("6"),
    "forecast": keys("7"),
    "alerts": keys("8"),
    "diagnose": _diagnose,
    "help": keys("question_mark"),
    "renewal": _renewal,
    "renewal-set": _renewal_set,
    "rotation-plan": keys("X", "d"),
    "rotation-confirm": _confirm,
    "rotation-progress": _progress,
    "overlap-plan": overlap_scenes.plan,
    "overlap-confirm": overlap_scenes.confirm,
    "overlap-progress": overlap_scenes.issuing,
    "overlap-rolled-back": overlap_scenes.rolled_back,
    "rehearsal": overlap_scenes.rehearsed,
}


def _all_scenes() -> dict[str, Scene]:
    scenes = {f"{name}-{size[0]}x{size[1]}": Scene(size=size, act=act) for name, act in VIEWS.items() for size in SIZES}
    for size in SIZES:
        scenes[f"sites-{size[0]}x{size[1]}"] = Scene(size=size, act=_sites, options={"others": other_sites})
    small, large = SIZES
    scenes["fleet-mono-80x24"] = Scene(size=small, act=_fleet, options={"colour": False, "true_colour": False})
    scenes["fleet-ascii-80x24"] = Scene(size=small, act=_fleet, options={"ascii_only": True})
    scenes["fleet-ascii-140x40"] = Scene(size=large, act=_fleet, options={"ascii_only": True})
    return scenes


SCENES: Final[Mapping[str, Scene]] = _all_scenes()
