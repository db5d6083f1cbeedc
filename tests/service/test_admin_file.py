"""The administrator's login file leads to the ports that the agent has, with the token that it had."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from backend.service.admin_file import put_ports_right

if TYPE_CHECKING:
    from tests.service.conftest import Site


def test_an_agent_on_other_ports_puts_them_into_the_file_and_nothing_else(site: Site) -> None:
    path = site.directory / "admin" / "login.yaml"
    before = yaml.safe_load(path.read_bytes())
    world = replace(site.world, port=46511, auth_port=46512)
    with site.transaction() as tx:
        assert put_ports_right(tx, world)
        assert not put_ports_right(tx, world)
    assert yaml.safe_load(path.read_bytes()) == {**before, "cloudport": 46511, "cloudauthport": 46512}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with site.transaction() as tx:
        assert put_ports_right(tx, site.world)
    assert yaml.safe_load(path.read_bytes()) == before


@pytest.mark.parametrize("text", [None, "", "- a list", "name: [", "name: somebody\ntoken: x\ncloudport: 1"])
def test_a_file_that_is_not_the_administrators_is_left_alone(text: str | None, site: Site) -> None:
    path = site.directory / "admin" / "login.yaml"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with site.transaction() as tx:
        assert not put_ports_right(tx, replace(site.world, port=1))
    assert path.exists() is (text is not None)
    assert text is None or path.read_text() == text
