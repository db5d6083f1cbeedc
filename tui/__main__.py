"""Start the dashboard on contexts: find them, prepare the connections, run the screen, close the connections.

The connections themselves are made by the running screen, so that its first frame does not wait for an agent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.client.contexts import Context, find_places, read_contexts
from backend.client.operator import Operator
from backend.clock import Clock, SystemClock
from backend.core.errors import AgentError
from backend.core.inert import inert
from tui.app import run
from tui.gateway import Gateway
from tui.link_options import LinkOptions
from tui.recording import record
from tui.remote import RemoteGateway
from tui.replaying import replay
from tui.settings import FILE_NAME, read_settings
from tui.tape import read_tape


def run_dashboard(
    contexts: str | Sequence[str] = (),
    *,
    write: bool = False,
    ascii_only: bool | None = None,
    simulated: bool = False,
    site_tag: str = "",
    mouse: bool = True,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
    record_to: Path | None = None,
    theme: str = "",
    options: LinkOptions | None = None,
) -> int:
    """Show the fleets of some contexts (none named: of all) until the operator leaves; return the exit code.

    `record_to` names a new file for what the agent says meanwhile, for `replay_session`.

    Raises:
        TapeNotWritten: that file is there already, or cannot be made.
        NotFound: there is no such context; the sentence lists those there are.
        FileInvalid: the contexts file is wrong; names the place.
    """
    places = find_places(os.environ if environment is None else environment)
    known = read_contexts(places.config_file)
    names = (contexts,) if isinstance(contexts, str) else contexts
    chosen = [known.get(name) for name in dict.fromkeys(names)] or list(known.contexts) or [known.get()]
    ticking = clock or SystemClock()
    gateways = [_gateway(context, ticking, places.state) for context in chosen]
    if record_to is not None:
        tag = site_tag or (chosen[0].tag if len(chosen) == 1 else "")
        gateways = record(gateways, record_to, ticking, simulated=simulated, site_tag=tag)
    return run(
        gateways,
        ticking,
        write=write,
        state_dir=places.state,
        ascii_only=ascii_only,
        simulated=simulated,
        site_tag=site_tag,
        mouse=mouse,
        theme=theme,
        options=options,
        settings=read_settings(places.config / FILE_NAME),
    )


def _gateway(context: Context, clock: Clock, state_dir: Path) -> Gateway:
    async def connect() -> Operator:
        return await Operator.connect(context, clock=clock)

    return RemoteGateway(connect, context, state_dir)


def replay_session(
    path: Path,
    *,
    ascii_only: bool | None = None,
    mouse: bool = True,
    environment: Mapping[str, str] | None = None,
    theme: str = "",
    options: LinkOptions | None = None,
) -> int:
    """Play a recording in the dashboard, with no agent, until the operator leaves; return the exit code.

    Raises:
        TapeInvalid: it is no recording that can be played; names file and line.
        OSError: it cannot be read.
    """
    places = find_places(os.environ if environment is None else environment)
    tape = read_tape(path)
    gateways, clock = replay(tape, SystemClock())
    return run(
        gateways,
        clock,
        write=False,
        state_dir=places.state,
        ascii_only=ascii_only,
        simulated=tape.head.get("simulated") is True,
        site_tag=inert(str(tape.head.get("site_tag", ""))),
        mouse=mouse,
        theme=theme,
        options=options,
        settings=read_settings(places.config / FILE_NAME),
    )


if __name__ == "__main__":
    try:
        sys.exit(run_dashboard(write="--write" in sys.argv[1:]))
    except (AgentError, OSError) as error:
        sys.stderr.write(f"mocdeck: {inert(str(error), 1000)}\n")
        sys.exit(1)
