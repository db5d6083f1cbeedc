"""`mocdeck forecast`: what is coming, before it hurts. Seven questions, each with its own exit code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from backend.cli.console import put, say
from backend.cli.params import duration, output_option
from backend.cli.root import Root
from backend.core.durations import parse_duration

if TYPE_CHECKING:
    from backend.cli.forecastforms import Sheet, Source
    from backend.client.operator import Operator
    from backend.core.subjects import SiteView, Subject

F = TypeVar("F", bound=Callable[..., Any])
_MOMENT: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%SZ"])
_OUTPUT: Final = output_option("table", "json", "csv", "markdown")
_CLUSTERS: Final = click.option("--cluster", "clusters", metavar="NAME", multiple=True, help="Only this cluster.")


def _window(command: F) -> F:
    command = click.option("--until", "until", type=_MOMENT, help="Until this instant (UTC).")(command)
    return click.option("--for", "length", type=duration, help="For this long from now, e.g. 4d.")(command)


@click.group("forecast")
def command() -> None:
    """See what is coming: what ends, who is stranded, what may be switched off.

    The exit code is 2 where something breaks or has broken, 3 where nobody knows, 1 where something wants care, else 0.
    """


@command.command("stranded")
@click.option("--within", type=duration, help="Only who is beyond its own help within this time, e.g. 14d.")
@_CLUSTERS
@_OUTPUT
@click.pass_context
def stranded(ctx: click.Context, within: timedelta | None, clusters: tuple[str, ...], output: str) -> None:
    """From when on each client cannot recover by itself, apart from when it expires."""
    from backend.cli.forecastsheets import stranded_sheet

    _answer(ctx, output, lambda site: stranded_sheet(site, _of(site, clusters), within))


@command.command("away")
@_window
@_OUTPUT
@click.pass_context
def away(ctx: click.Context, length: timedelta | None, until: datetime | None, output: str) -> None:
    """While nobody is there: what ends, strands or falls due, and what to run now so that nothing does."""
    from backend.cli.forecastsheets import away_sheet
    from backend.core.away import absence

    if (length is None) is (until is None):
        raise click.UsageError("say how long, with --for or --until; one of the two.", ctx)
    _answer(ctx, output, lambda site: away_sheet(absence(site, _end(ctx, site, length, until))))


@command.command("safe-off")
@_window
@_CLUSTERS
@_OUTPUT
@click.pass_context
def safe_off(
    ctx: click.Context, length: timedelta | None, until: datetime | None, clusters: tuple[str, ...], output: str
) -> None:
    """Until when each cluster, and the whole fleet, may be switched off.

    With --for or --until, exit 2 if that is longer than is safe.
    """
    from backend.cli.forecastsites import safe_off_sheet
    from backend.core.forecast import forecast

    if length is not None and until is not None:
        raise click.UsageError("--for and --until say the same; give one of them.", ctx)

    def sheet(site: SiteView) -> Sheet:
        asked = None if length is None and until is None else _end(ctx, site, length, until)
        return safe_off_sheet(forecast(site), site.now, _known(site, clusters), asked)

    _answer(ctx, output, sheet)


@command.command("reboot")
@_CLUSTERS
@_OUTPUT
@click.pass_context
def reboot(ctx: click.Context, clusters: tuple[str, ...], output: str) -> None:
    """Whether what restarts now comes back: KMS and node agents need a token that works."""
    from backend.cli.forecastsites import reboot_sheet
    from backend.core.forecast import forecast

    _answer(ctx, output, lambda site: reboot_sheet(forecast(site), _known(site, clusters)))


@command.command("upgrade")
@click.option("--duration", "length", type=duration, required=True, help="How long the upgrade is planned to take.")
@click.option("--margin", type=duration, default=timedelta(days=1), help="How much longer it may take.  [default: 1d]")
@_OUTPUT
@click.pass_context
def upgrade(ctx: click.Context, length: timedelta, margin: timedelta, output: str) -> None:
    """Whether everything lasts for an upgrade of a planned duration, and a margin."""
    import backend
    from backend.cli.forecastsheets import upgrade_sheet
    from backend.core.upgrade import readiness

    _answer(
        ctx,
        output,
        lambda site: upgrade_sheet(readiness(site, duration=length, margin=margin, tool_version=backend.__version__)),
    )


@command.command("compare")
@click.argument("before", type=click.Path(path_type=Path, dir_okay=False))
@_OUTPUT
@click.pass_context
def compare(ctx: click.Context, before: Path, output: str) -> None:
    """Which dates moved since BEFORE, a document that `mocdeck status -o json` wrote, and which did not.

    For after an upgrade or an update. The exit code is 1 if a certificate, a token or a client is not what it was for
    the better: an end that came nearer, or a client that is gone.
    """
    from backend.cli.forecastmoves import compare_sheet, read_before

    earlier = read_before(before)
    _answer(ctx, output, lambda site: compare_sheet(earlier, site))


@command.command("skew")
@click.option("--by", "skew", metavar="[+|-]DURATION", required=True, help="How far off, e.g. +10m (ahead) or -2d.")
@click.option("--host", "hosts", metavar="NAME", multiple=True, help="Only clients on this host.")
@click.option("--client", "names", metavar="NAME", multiple=True, help="Only this client.")
@_CLUSTERS
@_OUTPUT
@click.pass_context
def skew(
    ctx: click.Context,
    skew: str,
    hosts: tuple[str, ...],
    names: tuple[str, ...],
    clusters: tuple[str, ...],
    output: str,
) -> None:
    """What would break if clocks were that far off the agent's."""
    from backend.cli.forecastsheets import skew_sheet
    from backend.core.skew import skew_effects

    offset = _offset(skew)

    def chosen(site: SiteView) -> list[Subject]:
        return [
            subject
            for subject in _of(site, clusters)
            if (not hosts or subject.host in hosts) and (not names or subject.name in names)
        ]

    _answer(ctx, output, lambda site: skew_sheet(skew_effects(site, chosen(site), offset), offset))


@command.command("ca")
@_OUTPUT
@click.pass_context
def ca(ctx: click.Context, output: str) -> None:
    """From when on new certificates are cut short by the CA's end, and which the CA limits already."""
    from backend.cli.forecastsites import ca_sheet
    from backend.core.cliff import cliff
    from backend.core.errors import NotFound
    from backend.core.health import assess_authority

    def sheet(site: SiteView) -> Sheet:
        if site.issuing is None:
            raise NotFound("the agent names no CA that issues; look at the CA rotation: mocdeck rotate-ca")
        found = cliff(site.issuing, site.subjects)
        judged = assess_authority(site.issuing.validity, site.now, longest_leaf=found.longest_leaf)
        return ca_sheet(found, judged, site)

    _answer(ctx, output, sheet)


def _answer(ctx: click.Context, output: str, make: Callable[[SiteView], Sheet]) -> None:
    """Read the fleet, make the sheet, print it and end with its code."""
    from backend.cli.forecastforms import FORMS
    from backend.core.subjects import read_site

    source = _read(ctx.obj)
    sheet = make(read_site(source.fleet, source.now))
    put(FORMS[output](sheet, source))
    if source.fleet.simulated and output in {"table", "markdown"}:
        say("SIMULATED: this is a demo fleet, not a real one.")
    ctx.exit(int(sheet.code))


def _read(root: Root) -> Source:
    from backend.cli.forecastforms import Source
    from backend.cli.session import run_with_operator
    from backend.cli.status import read_fleet
    from backend.core.errors import InvalidInput

    async def read(operator: Operator) -> Source:
        fleet = await read_fleet(operator)
        if fleet.agent_time is None:
            raise InvalidInput("the agent did not say what time it has; is it a mocdeck agent?")
        return Source(fleet=fleet, now=fleet.agent_time, address=operator.credential.agent)

    return run_with_operator(root, read)


def _of(site: SiteView, clusters: tuple[str, ...]) -> list[Subject]:
    known = _known(site, clusters)
    return [subject for subject in site.subjects if not known or subject.cluster in known]


def _known(site: SiteView, clusters: tuple[str, ...]) -> frozenset[str]:
    """The clusters that were asked for.

    Raises:
        NotFound: one of them is not known.
    """
    from backend.core.errors import NotFound

    names = {cluster.name for cluster in site.present_clusters} | {subject.cluster for subject in site.subjects}
    for name in clusters:
        if name not in names:
            raise NotFound(f"there is no cluster {name!r}; list them with `mocdeck cluster list`")
    return frozenset(clusters)


def _end(ctx: click.Context, site: SiteView, length: timedelta | None, until: datetime | None) -> datetime:
    """The end of the window, by the agent's time."""
    try:
        end = site.now + length if length is not None else until.replace(tzinfo=UTC) if until else site.now
    except OverflowError:
        raise click.UsageError("that is longer than the calendar.", ctx) from None
    if end <= site.now:
        raise click.UsageError(f"that is not after the agent's time, {site.now:%Y-%m-%dT%H:%M:%SZ}.", ctx)
    return end


def _offset(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    try:
        offset = parse_duration(text[1:] if text[:1] in {"+", "-"} else text) * sign
    except ValueError as error:
        raise click.BadParameter(f"{error}; a sign says ahead (+) or behind (-).", param_hint="--by") from None
    if abs(offset) > timedelta(days=3650):
        raise click.BadParameter("more than ten years: no clock is that far off.", param_hint="--by")
    return offset
