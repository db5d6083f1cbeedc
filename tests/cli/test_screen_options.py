"""How the dashboard draws is said by the same options wherever it is opened from."""

from __future__ import annotations

import click
import pytest

from backend.cli.root import cli
from backend.cli.screen_options import screen_options
from tui.link_options import LinkOptions


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], LinkOptions()),
        (["--slow"], LinkOptions(slow=True)),
        (["--no-mouse", "--no-diff"], LinkOptions(mouse=False, diff=False)),
        (["--accessible"], LinkOptions(accessible=True)),
    ],
)
def test_each_option_means_what_it_says(arguments: list[str], options: LinkOptions) -> None:
    @click.command
    @screen_options
    def opened(**screen: bool) -> LinkOptions:
        return LinkOptions(**screen)

    assert opened.main(arguments, standalone_mode=False) == options


def test_the_dashboard_and_the_demo_have_them_all() -> None:
    wanted = {"--slow", "--accessible", "--no-mouse", "--no-diff"}
    context = click.Context(cli)
    demo = cli.get_command(context, "demo")
    assert demo is not None
    for command in (cli, demo):
        assert wanted <= {name for parameter in command.params for name in parameter.opts}
