"""Where every failure ends: one paragraph on standard error and an exit code, never a traceback.

Owns the words for failures that have none of their own (the system's, a fault in mocdeck). Errors of `backend.core`
bring their sentence with them.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import click

from backend.cli.console import say
from backend.cli.exits import Exit, exit_for
from backend.cli.lazy import LazyGroup
from backend.core.errors import AgentError
from backend.core.inert import inert

_PARAGRAPH = 2000


class Busy(AgentError):
    """Another run of a changing command has not ended."""

    reason: ClassVar[str] = "busy"


class NotConfirmed(AgentError):
    """A change was not confirmed; nothing happened."""

    reason: ClassVar[str] = "not_confirmed"


class NotWritten(AgentError):
    """The agent did what was asked, and the file for it could not be written here; the text says how to get it."""

    reason: ClassVar[str] = "not_written"


class NoPassphrase(AgentError):
    """The agent's keys need a passphrase, and none was given."""

    reason: ClassVar[str] = "no_passphrase"


class NoContext(AgentError):
    """It is not known which agent is meant."""

    reason: ClassVar[str] = "no_context"


class EdgeGroup(LazyGroup):
    """The root command: runs the line and turns every failure into a paragraph and an exit code."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run one command line and leave the process with its code."""
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            code = super().main(words, prog_name or "mocdeck", **extra)
            sys.stdout.flush()
        except BaseException as failure:
            if isinstance(failure, SystemExit):  # completion, or a command that had to leave at once
                raise
            if "--debug" in words:
                traceback.print_exception(failure)
            sys.exit(int(_end(failure)))
        sys.exit(int(code) if isinstance(code, int) else int(Exit.OK))


def _end(failure: BaseException) -> Exit:
    """Say what happened and return the exit code."""
    if isinstance(failure, BaseExceptionGroup):
        return _end(failure.exceptions[0])
    match failure:
        case KeyboardInterrupt() | click.Abort():
            say("mocdeck: interrupted")
            return Exit.INTERRUPTED
        case BrokenPipeError():
            return _reader_gone()
        case click.UsageError():
            where = failure.ctx.command_path if failure.ctx is not None else "mocdeck"
            _tell(f"{failure.format_message()} See `{where} --help`.")
            return Exit.USAGE
        case click.ClickException():
            _tell(failure.format_message())
            return Exit.USAGE
        case AgentError():
            _tell(str(failure))
            return exit_for(failure.reason)
        case OSError():
            _tell(_system_words(failure))
            return Exit.NOT_FOUND if isinstance(failure, FileNotFoundError) else Exit.DISK
        case _ if type(failure).__module__.partition(".")[0] == "yaml":  # not imported for the sake of its name
            _tell(f"a YAML file cannot be read: {failure}; correct it")
            return Exit.CONFIG
        case _:
            _tell(
                f"a fault in mocdeck itself ({type(failure).__name__}); nothing more was done. Repeat the command with "
                "--debug to see where it arose, and report it with the command line"
            )
            return Exit.INTERNAL


def _tell(sentence: str) -> None:
    say(f"mocdeck: {inert(' '.join(sentence.split()), limit=_PARAGRAPH)}")


def _system_words(failure: OSError) -> str:
    thing = f"{failure.filename}: " if failure.filename else ""
    advice = {
        errno.ENOENT: "; check the path",
        errno.EACCES: "; run as the user that owns it, or give this user access",
        errno.EPERM: "; run as the user that owns it",
        errno.ENOSPC: "; free some space, nothing was left half-written",
        errno.EROFS: "; choose a place that can be written",
        errno.EISDIR: "; name a file in it",
        errno.ENOTDIR: "; a file stands where a directory is needed",
    }.get(failure.errno or 0, "; look at the file or disk, then run it again")
    return f"{thing}{(failure.strerror or type(failure).__name__).lower()}{advice}"


def _reader_gone() -> Exit:
    """Whoever read our output has left, as `head` does: not an error, and Python must not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.OK
