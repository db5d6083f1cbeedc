"""The way from `mocdeck` without a command to the dashboard; the only module here that knows the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from backend.cli.root import Root


def open_dashboard(
    root: Root, *, write: bool, record_to: Path | None = None, theme: str = "", **screen: bool
) -> NoReturn:
    """Show every context, or those that were named, until the operator leaves, then leave with its exit code.

    Raises:
        NoContext: it is not known which agent is meant.
        FileInvalid: the configuration is wrong.
        TapeNotWritten: the recording's file is there already, or cannot be made.
    """
    from backend.cli.session import find_own_places, get_context
    from backend.client.contexts import read_contexts

    known = read_contexts(find_own_places().config_file).contexts
    if len(known) < 2 or root.contexts:  # a mistake is told before the screen takes the terminal
        names = [get_context(replace(root, context=name)).name for name in root.contexts or ("",)]
    else:
        names = [context.name for context in known]
    from tui.__main__ import run_dashboard
    from tui.link_options import LinkOptions

    options = LinkOptions(**screen)
    raise SystemExit(run_dashboard(names, write=write, record_to=record_to, theme=theme, options=options))


def play(path: Path, *, theme: str = "", **screen: bool) -> NoReturn:
    """Play a recording, then leave with the dashboard's exit code.

    Raises:
        TapeInvalid: it is no recording that can be played.
    """
    from tui.__main__ import replay_session
    from tui.link_options import LinkOptions

    raise SystemExit(replay_session(path, theme=theme, options=LinkOptions(**screen)))
