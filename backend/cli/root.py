"""The root of the command line: its own options, and where every command lies.

Imports nothing but click, so that `--version`, `--help` and completion of names are quick.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

import backend
from backend.cli.edge import EdgeGroup
from backend.cli.exits import exit_table
from backend.cli.lazy import Later
from backend.cli.screen_options import screen_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """What the root's own options say; every command finds it as `ctx.obj`. `context` "": the current one."""

    context: str = ""
    contexts: tuple[str, ...] = ()  # all that were named; only the dashboard takes more than one
    debug: bool = False


def _later(module: str, summary: str, attribute: str = "command") -> Later:
    return Later(module=f"backend.cli.{module}", attribute=attribute, summary=summary)


COMMANDS: Final = {
    "status": _later("status", "Show every client, worst first; the exit code tells how bad it is."),
    "describe": _later("describe", "Show one client in full."),
    "forecast": _later("forecast", "See what is coming: what ends, who is stranded, what may be switched off."),
    "handover": _later("handover", "Write the hand-over note of a shift: what changed, what runs, what falls due."),
    "diagnose": _later("diagnose", "Paste an error message: what it is about, what to do, what not to do."),
    "renew": _later("act", "Renew certificates of clients.", "renew"),
    "rotate-token": _later("act", "Give clients fresh identity tokens.", "rotate_token"),
    "repair": _later("act", "Bring clients back: rotate the token, deliver a login file, sign in.", "repair"),
    "update": _later(
        "update", "Update-AksHciCertificates, Update-AksHciClusterCertificates: whatever each client needs."
    ),
    "operations": _later("operations", "Look at operations, follow, stop or resume them."),
    "rotate-ca": _later("rotate_ca", "Invoke-AksHciRotateCACertificate: plan, run and watch it."),
    "identity": _later("identity", "Create, list, revoke and delete identities, and make login files."),
    "role": _later("role", "Look at roles, make them, and assign them to identities."),
    "cluster": _later("cluster", "List the clusters of the site, add and remove them."),
    "alerts": _later("alerts", "List alerts; acknowledge, silence and test notifications."),
    "delivery": _later("delivery", "See by which way login files reach clients, and try those ways."),
    "token-policy": _later("token_policy", "See whose tokens the agent rotates by itself, and try a policy."),
    "audit": _later("audit", "Read the audit trail, or verify its chain."),
    "login": _later("login", "Sign in with a login file and remember the agent as a context."),
    "context": _later("context", "List the agents this computer knows, and choose one."),
    "agent": _later("agent", "Make a cloud agent, and run it."),
    "client": _later("client", "Hold an identity: sign in, keep renewing, tell how it goes."),
    "demo": _later("demo", "Run a whole simulated site with its dashboard, offline."),
    "completion": _later("completion", "Print the completion script for a shell."),
}

THEMES: Final = ("dark", "light", "ansi", "mono")  # those of tui.palette, which is not loaded for this
_EPILOG: Final = f"""\
\b
Exit codes:
{exit_table()}
"""


@click.group(
    "mocdeck",
    cls=EdgeGroup,
    later=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EPILOG,
)
@click.option(
    "--context",
    "context_names",
    metavar="NAME",
    multiple=True,
    help="The context to use instead of the current. The dashboard shows all; repeated, only those that are named.",
)
@click.option("--write", is_flag=True, help="Open the dashboard with changes allowed.")
@click.option("--plain", "form", flag_value="plain", help="Print the dashboard's first screen as text, and leave.")
@click.option("--json", "form", flag_value="json", help="The same as data (schema mocdeck.home/1).")
@click.option(
    "--filter", "filter_text", metavar="EXPR", default="", help="With --plain or --json: only what it matches."
)
@click.option("--all-contexts", is_flag=True, help="With --plain or --json: every agent that this computer knows.")
@click.option(
    "--record",
    "record_to",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Record what the dashboard is told to a new file.",
)
@click.option(
    "--replay",
    "recording",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play a recording in the dashboard; needs no agent and changes nothing.",
)
@click.option(
    "--theme",
    type=click.Choice(THEMES),
    help="Colours of the dashboard; default: what was chosen last, or what suits the terminal.",
)
@screen_options
@click.option("--debug", is_flag=True, help="Show where a failure arose, and what the client library does.")
@click.version_option(backend.__version__, message="mocdeck %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    /,
    context_names: tuple[str, ...],
    write: bool,
    form: str | None,
    filter_text: str,
    all_contexts: bool,
    record_to: Path | None,
    recording: Path | None,
    theme: str | None,
    debug: bool,
    **screen: bool,
) -> None:
    """Certificates and tokens of AKS on Azure Stack HCI, with every countdown.

    Without a command, on a terminal, it opens the dashboard.
    """
    ctx.obj = Root(context=context_names[0] if context_names else "", contexts=context_names, debug=debug)
    if len(context_names) > 1 and (form is not None or ctx.invoked_subcommand is not None):
        raise click.UsageError("only the dashboard shows several contexts; name one, or use --all-contexts.")
    _refuse_contradictions(ctx, form, narrowed=bool(filter_text) or all_contexts)
    _refuse_tapes(ctx, form, write=write, record_to=record_to, recording=recording)
    if ctx.invoked_subcommand is not None:
        return
    if form is not None:
        from backend.cli.home import print_home

        ctx.exit(print_home(ctx.obj, form, filter_text=filter_text.strip(), everywhere=all_contexts))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "the dashboard needs a terminal; in scripts and pipes use `mocdeck --plain`, `mocdeck --json` or "
            "`mocdeck status`."
        )
    from backend.cli.dashboard import open_dashboard, play

    if recording is not None:
        play(recording, theme=theme or "", **screen)
    open_dashboard(ctx.obj, write=write, record_to=record_to, theme=theme or "", **screen)


def _refuse_contradictions(ctx: click.Context, form: str | None, *, narrowed: bool) -> None:
    """Refuse options that would do nothing where they stand."""
    if form is not None and ctx.invoked_subcommand is not None:
        raise click.UsageError(f"--{form} stands alone; `mocdeck {ctx.invoked_subcommand}` has --output.")
    if narrowed and form is None:
        raise click.UsageError("--filter and --all-contexts go with --plain or --json; `mocdeck status` has its own.")


def _refuse_tapes(
    ctx: click.Context, form: str | None, *, write: bool, record_to: Path | None, recording: Path | None
) -> None:
    """Refuse a recording where there is no dashboard, and what a recording cannot do."""
    option = "--replay" if recording is not None else "--record" if record_to is not None else ""
    if option and (form is not None or ctx.invoked_subcommand is not None):
        raise click.UsageError(f"{option} is for the dashboard; it goes with neither a command nor --plain or --json.")

    if recording is not None and (write or record_to is not None):
        raise click.UsageError("--replay shows what was; it goes with neither --write nor --record.")
