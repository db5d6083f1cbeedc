"""While nobody is there: what ends or falls due in a window, whose it is, and what to run now so that nothing does.

Owns the list for a stretch of time that begins now (pki.md 4.8). What clients and agent do by themselves is no matter
for the list and is counted apart, under its owner; a promise that was broken is not counted on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.evidence import Evidence, TokenLife, thresholds
from backend.core.facts import ClientFacts, Limit, State
from backend.core.limits import ABSOLUTE_DUE, BACKDATE, CLIENT_LIFETIME
from backend.core.planrules import ActionKind, judge
from backend.core.reasons import at
from backend.core.subjects import SiteView, Subject

REASON: Final = "before an absence"
_SECOND: Final = timedelta(seconds=1)
_VERBS: Final = {ActionKind.RENEW: "renew", ActionKind.ROTATE_TOKEN: "rotate-token", ActionKind.REPAIR: "repair"}


class Matter(Enum):
    """Why a client, or the CA, is on the list; worst first."""

    AUTHORITY_ENDS = "CA ends"
    OUT = "is out already"
    STRANDED = "cannot recover by itself"
    CERTIFICATE_ENDS = "certificate ends"
    TOKEN_ENDS = "token ends"  # noqa: S105 - words of the list
    RENEWAL_DUE = "renewal falls due"
    TOKEN_DUE = "token falls due"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A command to run now; `action` None: rotate the CA. `forced`: it is not due yet, so it wants --force."""

    action: ActionKind | None
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the list. `remedy` None: no command helps, and `why` says what does.

    `lasts` False: what the remedy gives falls due again inside the window, so somebody must come back at `again_at`.
    """

    at: datetime
    matter: Matter
    name: str
    owner: str
    cluster: str
    remedy: Remedy | None
    why: str = ""
    again_at: datetime | None = None

    @property
    def lasts(self) -> bool:
        """Tell whether the remedy takes it off the list for the whole window."""
        return self.remedy is not None and self.again_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The list for `begin` to `until`, earliest first.

    `by_itself` counts the renewals and token rotations that fall due and need nobody, by owner ("" without one).
    `commands` are what to run now. `unseen` are clients whose token nobody knows.
    """

    begin: datetime
    until: datetime
    items: tuple[Item, ...]
    by_itself: tuple[tuple[str, int], ...]
    commands: tuple[str, ...]
    unseen: tuple[str, ...]

    @property
    def can_be_emptied(self) -> bool:
        """Tell whether the commands take everything off the list."""
        return all(item.lasts for item in self.items)


def absence(site: SiteView, until: datetime) -> Absence:
    """Make the list for the time from the site's `now` to `until`.

    Raises:
        ValueError: the window has passed before it begins.
    """
    if until <= site.now:
        raise ValueError(f"the window ends at {at(until)}, which is not after the agent's time, {at(site.now)}")
    items: list[Item] = []
    unattended: dict[str, int] = {}
    unseen = []
    ending = site.issuing is not None and site.issuing.validity.not_after <= until
    if site.issuing is not None and ending:
        end = max(site.issuing.validity.not_after, site.now)
        items.append(
            Item(
                at=end,
                matter=Matter.AUTHORITY_ENDS,
                name=f"CA g{site.issuing.generation}",
                owner="",
                cluster="",
                remedy=Remedy(action=None),
                why="every client stops working there",
            )
        )
    for subject in site.subjects:
        if subject.facts.is_orphan:
            continue
        reader = _Reader(subject, site, until)
        items.extend(_joined(list(reader.items())))
        if reader.unattended:
            unattended[subject.owner] = unattended.get(subject.owner, 0) + reader.unattended
        if subject.facts.certificate is not None and reader.e.token is TokenLife.UNKNOWN:
            unseen.append(subject.name)
    order = list(Matter)
    items.sort(key=lambda item: (item.at, order.index(item.matter), item.name))
    return Absence(
        begin=site.now,
        until=until,
        items=tuple(items),
        by_itself=tuple(sorted(unattended.items())),
        commands=_commands(items),
        unseen=tuple(sorted(unseen)),
    )


def _joined(items: list[Item]) -> list[Item]:
    """One client's lines; a repair brings a token with it, so no second command is needed for that."""
    repair = next((i.remedy for i in items if i.remedy is not None and i.remedy.action is ActionKind.REPAIR), None)
    return items if repair is None else [replace(item, remedy=repair) if item.remedy else item for item in items]


class _Reader:
    """One client in the window; `unattended` counts what falls due and needs nobody."""

    def __init__(self, subject: Subject, site: SiteView, until: datetime) -> None:
        self.subject, self.now, self.until = subject, site.now, until
        self.facts: ClientFacts = subject.facts
        self.e = Evidence(self.facts, site.now)
        self.can_issue = site.issuing is None or not site.issuing.validity.is_expired(site.now)
        self.told = self.facts.has_heartbeat and not self.e.stale and not self.e.planned_off
        self.unattended = 0

    def items(self) -> Iterable[Item]:
        """Return its lines; a client that is out already has that one alone."""
        state = self.subject.found.state
        if state is State.REVOKED and self.facts.identity_revoked:
            return
        if self.subject.stranding.is_stranded(self.now) or state in _OUT:
            yield self._item(self.now, Matter.OUT, ActionKind.REPAIR, None)
            return
        if state is State.NEVER_SIGNED_IN:
            yield from self._never_in()
            return
        stranded_at = self.subject.stranding.from_at
        if (
            stranded_at is not None
            and stranded_at <= self.until
            and self.subject.found.limited_by is not Limit.AUTHORITY
        ):
            yield self._item(stranded_at, Matter.STRANDED, self._way_to_certificate(), self._certificate_again())
        yield from self._certificate()
        yield from self._token()

    def _never_in(self) -> Iterable[Item]:
        end = self.facts.token.expires_at
        if end is None or end > self.until or self._rotates():
            return
        yield Item(
            at=end,
            matter=Matter.TOKEN_ENDS,
            name=self.subject.name,
            owner=self.subject.owner,
            cluster=self.subject.cluster,
            remedy=None,
            why="it has never signed in: let it sign in with its login file, or delete the identity",
        )

    def _certificate(self) -> Iterable[Item]:
        certificate, end = self.facts.certificate, self.e.effective_not_after
        if certificate is None or end is None or self.e.limited:
            return  # what the CA limits is the CA's line
        due_at = certificate.validity.not_after - thresholds(certificate.validity.lifetime)[0]
        by_itself = self._renews()
        if by_itself and self.facts.renew_until is not None:
            due_at = min(due_at, self.facts.renew_until)
        if due_at > self.until:
            return
        if by_itself:
            self.unattended += 1
            return
        ends = end < self.until
        matter = Matter.CERTIFICATE_ENDS if ends else Matter.RENEWAL_DUE
        when = end + _SECOND if ends else max(due_at, self.now)
        yield self._item(when, matter, self._way_to_certificate(), self._certificate_again())

    def _token(self) -> Iterable[Item]:
        token = self.facts.token
        if self.e.token is TokenLife.UNKNOWN:
            return
        if self.e.token_is_dead or token.expires_at is None:
            yield self._item(self.now, Matter.TOKEN_ENDS, ActionKind.ROTATE_TOKEN, self._token_again())
            return
        lifetime = None if token.issued_at is None else token.expires_at - token.issued_at
        due_at = token.expires_at - (ABSOLUTE_DUE if lifetime is None else thresholds(lifetime)[0])
        if due_at > self.until:
            return
        if self._rotates():
            self.unattended += 1
            return
        ends = token.expires_at <= self.until
        matter = Matter.TOKEN_ENDS if ends else Matter.TOKEN_DUE
        when = token.expires_at if ends else max(due_at, self.now)
        yield self._item(when, matter, ActionKind.ROTATE_TOKEN, self._token_again())

    def _renews(self) -> bool:
        """Only a client that is seen to renew is counted on; one that is off by plan renews on its return."""
        if self.facts.auto_renew is not True or self.e.slot_missed or (self.e.late and not self.e.planned_off):
            return False
        off_until = self.facts.planned_off_until if self.e.planned_off else None
        end = self.e.effective_not_after
        return not self.e.stale and (off_until is None or (end is not None and off_until <= end))

    def _rotates(self) -> bool:
        if not self.e.rotates or self.e.token_is_dead:
            return False
        return self.facts.has_file_route or (self.facts.has_heartbeat and not self.e.stale and not self.e.planned_off)

    def _way_to_certificate(self) -> ActionKind:
        return ActionKind.RENEW if self.told else ActionKind.REPAIR

    def _certificate_again(self) -> datetime | None:
        certificate = self.facts.certificate
        lifetime = CLIENT_LIFETIME if certificate is None else certificate.validity.lifetime
        again = self.now - BACKDATE + lifetime - thresholds(lifetime)[0]
        return again if again <= self.until else None

    def _token_again(self) -> datetime | None:
        token = self.facts.token
        known = token.issued_at is not None and token.expires_at is not None
        lifetime = token.expires_at - token.issued_at if known else CLIENT_LIFETIME  # type: ignore[operator]
        again = self.now + lifetime - thresholds(lifetime)[0]
        return again if again <= self.until else None

    def _item(self, when: datetime, matter: Matter, action: ActionKind, again_at: datetime | None) -> Item:
        verdict = judge(action, self.e, self.subject.found, can_be_told=self.told, can_issue=self.can_issue)
        helps = verdict.runs or verdict.forced_by_reason
        return Item(
            at=when,
            matter=matter,
            name=self.subject.name,
            owner=self.subject.owner,
            cluster=self.subject.cluster,
            remedy=Remedy(action=action, forced=not verdict.runs) if helps else None,
            why="" if helps else verdict.why,
            again_at=again_at,
        )


_OUT: Final = frozenset(
    {
        State.REVOKED,
        State.TRUST_BROKEN,
        State.LOCKED_OUT,
        State.REPAIRABLE,
        State.EXPIRED_UNKNOWN,
        State.EMPTY,
    }
)


def _commands(items: Iterable[Item]) -> tuple[str, ...]:
    """One command for each action, in the order in which they help: the CA, then who is out, tokens, certificates."""
    chosen: dict[tuple[ActionKind | None, bool], dict[str, None]] = {}
    for item in items:
        if item.remedy is not None:
            chosen.setdefault((item.remedy.action, item.remedy.forced), {})[item.name] = None
    commands = ["mocdeck rotate-ca"] if (None, False) in chosen else []
    for action in (ActionKind.REPAIR, ActionKind.ROTATE_TOKEN, ActionKind.RENEW):
        for forced in (False, True):
            names = " ".join(sorted(chosen.get((action, forced), ())))
            if names:
                force = f' --force --reason "{REASON}"' if forced else ""
                commands.append(f"mocdeck {_VERBS[action]}{force} {names}")
    return tuple(commands)
