"""Commands of a recording that is played; `p` stops it and lets it go on, as it does an agent's countdowns."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command, Group


def _replay(command_id: str, keys: tuple[str, ...], key: str, label: str, text: str) -> Command:
    return Command(id=command_id, keys=keys, key=key, label=label, help=text, group=Group.REPLAY)


REPLAYING: Final[tuple[Command, ...]] = (
    _replay("replay_back", ("left_curly_bracket",), "{", "back", "one minute back in the recording"),
    _replay("replay_on", ("right_curly_bracket",), "}", "on", "one minute on in the recording"),
    _replay("replay_slower", ("left_parenthesis",), "(", "slower", "half as fast, down to a quarter"),
    _replay("replay_faster", ("right_parenthesis",), ")", "faster", "twice as fast, up to 64 times"),
    _replay("replay_start", (), ":replay-start", "from start", "to the beginning of the recording"),
    _replay("replay_end", (), ":replay-end", "to the end", "to the end of the recording"),
)
