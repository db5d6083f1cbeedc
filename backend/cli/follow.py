"""Following an operation at the agent until what it did is seen to work, and the exit code that it deserves.

Owns progress lines and the carrying of login files by hand. Ending this program ends nothing at the agent.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.cli.console import say
from backend.cli.exits import Exit
from backend.cli.words import moment
from backend.clock import SystemClock
from backend.core.errors import AgentError
from backend.core.planrules import NOT_DUE, STORED_NOT_IN_USE

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.clock import Clock
    from backend.wire.mocdeck.v1.operation_pb2 import LoginFile, Operation, Plan

UPDATE: Final = 4  # operation.proto, ActionKind
POLL_SECONDS: Final = 0.5
_LONGEST_POLL_SECONDS: Final = 5.0
_PATIENCE: Final = 6  # lost answers in a row; a restarting agent is away for some seconds


class Follower:
    """Watches one operation. `out` is where login files for delivery by hand are put; None: they are left to take."""

    def __init__(
        self, operator: Operator, operation: Operation, *, out: Path | None, clock: Clock | None = None
    ) -> None:
        self._operator = operator
        self._clock = clock or SystemClock()
        self._out = out
        self._told: dict[str, tuple[str, str]] = {}
        self._taken: set[str] = set()
        self.operation = operation

    async def follow(self, patience: timedelta | None) -> Operation:
        """Report progress until the operation ends or `patience` is at its end; return it as it is then.

        Raises:
            AgentError: the agent has been away for too long.
        """
        started = self._clock.monotonic()
        pause, lost = POLL_SECONDS, 0
        try:
            while True:
                await self._report()
                if self.operation.state != "running":
                    return self.operation
                if patience is not None and self._clock.monotonic() - started >= patience.total_seconds():
                    say(f"Not ended after {patience}; the agent goes on. {self._how_to_watch()}")
                    return self.operation
                await self._clock.sleep(pause)
                pause = min(_LONGEST_POLL_SECONDS, pause * 1.2)
                try:
                    self.operation = await self._operator.operation(self.operation.id)
                    lost = 0
                except AgentError as error:
                    lost += 1
                    if error.reason != "unreachable" or lost > _PATIENCE:
                        raise
                    say(f"{error}; the operation goes on there")
        except asyncio.CancelledError:
            say(f"\nThe operation goes on at the agent. {self._how_to_watch()}")
            raise

    def _how_to_watch(self) -> str:
        return f"Watch it with `mocdeck operations show {self.operation.id} --follow`."

    async def _report(self) -> None:
        total = self.operation.total - self._skipped_at_start()
        ended = self.operation.done + self.operation.failed
        for target in self.operation.targets:
            words = (target.state, target.result or target.step)
            if target.state in {"waiting", "skipped"} or self._told.get(target.name) == words:
                continue
            self._told[target.name] = words
            say(f"[{ended}/{total}] {target.name}: {target.state}{f' - {words[1]}' if words[1] else ''}")
            if target.route == "manual" and target.state == "ordered":
                await self._carry(target.name)

    def _skipped_at_start(self) -> int:
        return sum(target.state == "skipped" and not target.started_at for target in self.operation.targets)

    async def _carry(self, name: str) -> None:
        if name in self._taken:
            return
        self._taken.add(name)
        if self._out is None:
            say(
                f"{name} cannot be reached: take its login file with "
                f"`mocdeck operations login-file {self.operation.id} {name} --out FILE` and bring it there"
            )
            return
        login = await self._operator.take_login_file(self.operation.id, name)
        path = self._out / f"{name}.login.yaml" if self._out.is_dir() else self._out
        deliver(login, path)


def deliver(login: LoginFile, path: Path) -> None:
    """Write a login file for its owner only, and say what to do with it.

    Raises:
        OSError, UnsafeFile: it could not be written.
    """
    from backend.pki.files import write_atomic

    write_atomic(path, login.yaml.encode())
    until = moment(login.token_expires_at)
    say(
        f"Login file of {login.name}: {path} (mode 0600, its token signs in until {until}). Bring it to the client's "
        f"computer, put it in place of the client's login file (WSSD_CLIENT_TOKEN, by default ~/.wssd/.token), keep it "
        "at mode 0600, then delete this copy. A running client notices it and signs in; restart one that does not"
    )


def refused_by(plan: Plan) -> int:
    """Count the clients that the plan refused; one left alone on the operator's word, or never seen, is none."""
    return sum(target.why.startswith("refused") for target in plan.targets if not target.runs)


def exit_of_plan(plan: Plan) -> Exit:
    """The code of a plan that touches nobody: nothing due is fine, anything refused is a refusal."""
    if plan.resumes:
        return Exit.REFUSED if refused_by(plan) else Exit.OK
    if plan.action == UPDATE:
        seen = any(target.number for target in plan.targets)
        return Exit.OK if seen and not refused_by(plan) else Exit.REFUSED
    return Exit.OK if all(target.why == NOT_DUE for target in plan.targets) else Exit.REFUSED


def exit_of_operation(operation: Operation, *, excluded: int = 0) -> Exit:
    """The code of an operation; `excluded` counts clients that were named and that the plan refused.

    When all that failed is that a client does not use what it stored, that is the answer, whatever was done besides.
    """
    if operation.state == "running":
        return Exit.UNVERIFIED
    if operation.state == "done":
        return Exit.PARTLY if excluded else Exit.OK
    failed = [target for target in operation.targets if target.state == "failed"]
    if failed and all(target.result.startswith(STORED_NOT_IN_USE) for target in failed):
        return Exit.UNVERIFIED
    return Exit.PARTLY if operation.done else Exit.UNVERIFIED
