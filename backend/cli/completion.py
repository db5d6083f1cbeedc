"""`mocdeck completion`: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

from backend.cli.console import put

_VARIABLE = "_MOCDECK_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    bash: mocdeck completion bash > ~/.local/share/bash-completion/completions/mocdeck

    zsh: mocdeck completion zsh > _mocdeck, in a directory of $fpath

    fish: mocdeck completion fish > ~/.config/fish/completions/mocdeck.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click ships all three
    made = kind(ctx.find_root().command, {}, "mocdeck", _VARIABLE)
    put(ShellComplete.source(made))  # not bash's own, which runs bash to ask for its version
