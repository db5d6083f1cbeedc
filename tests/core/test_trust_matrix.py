"""The truth table of handshakes between two CAs (pki.md 5.5), and what the live port must come to in each phase."""

from __future__ import annotations

import pytest

from backend.core.trust_matrix import BOTH, NEW, OLD, LivePort, Outcome, Presented, is_accepted


@pytest.mark.parametrize(
    ("leaf", "with_cross", "old", "both", "new"),
    [
        (OLD, False, True, True, False),
        (OLD, True, True, True, True),
        (NEW, False, False, True, True),
        (NEW, True, True, True, True),
    ],
)
def test_the_table(leaf: str, with_cross: bool, old: bool, both: bool, new: bool) -> None:
    presented = Presented(leaf=leaf, with_cross=with_cross)
    assert [is_accepted(presented, trust) for trust in (OLD, BOTH, NEW)] == [old, both, new]


def test_the_live_port_while_the_old_ca_serves_and_both_are_trusted() -> None:
    port = LivePort(serving=OLD, with_cross=False, bundle={OLD, NEW})
    assert port.expected(OLD, OLD) is port.expected(NEW, OLD) is Outcome.OK
    assert port.expected(OLD, NEW) is Outcome.UNTRUSTED


def test_behind_a_cross_certificate_nobody_is_cut_off() -> None:
    port = LivePort(serving=NEW, with_cross=True, bundle={OLD, NEW})
    assert {port.expected(leaf, trust) for leaf in (OLD, NEW) for trust in (OLD, NEW)} == {Outcome.OK}


def test_after_distrust_only_leaves_of_the_new_ca_pass_whatever_their_holders_trust() -> None:
    port = LivePort(serving=NEW, with_cross=True, bundle={NEW})
    assert port.expected(NEW, OLD) is port.expected(NEW, NEW) is Outcome.OK
    assert port.expected(OLD, OLD) is port.expected(OLD, NEW) is Outcome.REFUSED
