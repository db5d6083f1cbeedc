"""Every view has a command twin; the first screen's has the same rows, in the same order, in the same words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.cli.fleetreport import Selection, make_report
from backend.cli.home import COLUMNS, Seen, cells, rows_of
from backend.cli.root import cli
from backend.core.filter import parse
from tui.app import MocdeckApp
from tui.columns import certificate_left, next_step, renews, token_left
from tui.commands import COMMANDS, Group

MakeApp = Callable[..., MocdeckApp]
README = Path(__file__).resolve().parents[2] / "README.md"


def seen(app: MocdeckApp, text: str) -> Seen:
    report = make_report(app.model.columns, address="192.0.2.1:55000", selection=Selection(filter=text))
    return Seen(context="bonn", address="192.0.2.1:55000", report=report)


@pytest.mark.parametrize("text", ["", "kms", "state:latent", "left<30d", "!cluster:bonn-mgmt"])
async def test_the_rows_of_the_twin_are_those_of_the_screen_in_its_order(make_app: MakeApp, text: str) -> None:
    app = make_app()
    async with app.run_test(size=(200, 60)):
        await app.settled()
        if text:
            app.model.choose_filter(text, parse(text), app.clock.monotonic())
        clients = [app.model.find(number) for number in app.model.order]
        one = seen(app, text)
        assert one.report is not None
        now = one.report.now
        rows = [dict(zip(COLUMNS, cells(one.report, line), strict=True)) for _, line in rows_of([one])]
        assert rows
        assert [row["CLIENT"] for row in rows] == [client.row.name for client in clients if client]
        for row, client in zip(rows, clients, strict=True):
            assert client is not None
            assert row["CERT LEFT"].removesuffix(" (CA)") == certificate_left(client, now, 40)
            assert row["TOKEN LEFT"] == token_left(client, now, 40)
            assert row["NEXT STEP"] == next_step(client)
            assert row["RENEWS"].replace("unknown", "?") == renews(client.row.flags)
            assert row["STATE"].split(",")[0] == client.judged.state.value


async def test_hostile_names_are_as_inert_as_on_the_screen(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        one = seen(app, "")
        assert one.report is not None
        text = "".join(cell for _, line in rows_of([one]) for cell in cells(one.report, line))
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", text)


def test_every_view_has_its_command_in_the_readme_s_table() -> None:
    text = README.read_text(encoding="utf-8")
    _, _, table = text.partition("<!-- twins:begin -->")
    table = table.partition("<!-- twins:end -->")[0]
    for command in COMMANDS:
        if command.group is Group.VIEW:
            assert f"| `{command.key}` " in table, f"{command.id} has no twin in the README's table"
    for line in re.findall(r"`mocdeck ([a-z][a-z-]*)", table):
        assert line in cli.list_commands(None)  # type: ignore[arg-type]  # the table of names needs no context
