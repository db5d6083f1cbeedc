"""Whose tokens the agent rotates by itself: the flag always, then the first rule that fits."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.core.model import ClientKind
from backend.core.token_policy import RotatedBy, TokenPolicy, TokenRule

NODES = TokenRule(name="nodes", kinds=frozenset({ClientKind.NODE_AGENT, ClientKind.KMS}), overlap=timedelta(hours=12))
LAB = TokenRule(name="lab", clusters=frozenset({"lab"}), rotates=False)
ALL = TokenRule(name="all")
KINDS = st.sampled_from(list(ClientKind))
NAMES = st.sampled_from(["", "lab", "wl1", "kms-1"])
RULES = st.builds(
    TokenRule,
    name=st.just("r"),
    kinds=st.frozensets(KINDS, max_size=2),
    clusters=st.frozensets(NAMES, max_size=2),
    identities=st.frozensets(NAMES, max_size=1),
    rotates=st.booleans(),
)


def test_the_first_rule_that_fits_counts() -> None:
    policy = TokenPolicy(rules=(LAB, NODES, ALL))
    assert policy.rule_for(ClientKind.KMS, "lab", "kms-1") is LAB
    assert policy.rule_for(ClientKind.KMS, "wl1", "kms-1") is NODES
    assert policy.rule_for(ClientKind.CSI, "wl1", "csi-1") is ALL
    assert policy.overlap_for(ClientKind.KMS, "wl1", "kms-1") == timedelta(hours=12)
    assert policy.overlap_for(ClientKind.CSI, "wl1", "csi-1") is None
    assert policy.overlap_for(ClientKind.CSI, "lab", "csi-1") is None


def test_a_rule_wants_everything_that_it_names() -> None:
    rule = TokenRule(name="r", kinds=frozenset({ClientKind.KMS}), clusters=frozenset({"wl1"}))
    assert rule.fits(ClientKind.KMS, "wl1", "x")
    assert not rule.fits(ClientKind.KMS, "wl2", "x")
    assert not rule.fits(ClientKind.CSI, "wl1", "x")
    assert rule.words == "kind KMS; cluster wl1"
    assert ALL.words == "all clients"


def test_the_flag_wins_over_a_rule_against_it_and_an_orphan_is_nobodys_by_policy() -> None:
    policy = TokenPolicy(rules=(LAB, ALL))
    assert policy.rotated_by(ClientKind.CSI, "lab", "c", has_flag=True) is RotatedBy.FLAG
    assert policy.rotated_by(ClientKind.CSI, "lab", "c", has_flag=False) is RotatedBy.NOBODY
    assert policy.rotated_by(ClientKind.CSI, "wl1", "c", has_flag=False) is RotatedBy.POLICY
    assert policy.rotated_by(ClientKind.CSI, "wl1", "c", has_flag=False, is_orphan=True) is RotatedBy.NOBODY
    assert TokenPolicy().rotated_by(ClientKind.CSI, "wl1", "c", has_flag=False) is RotatedBy.NOBODY


@given(rules=st.lists(RULES, max_size=4), kind=KINDS, cluster=NAMES, name=NAMES, orphan=st.booleans())
def test_a_policy_never_takes_from_the_flag_and_acts_by_one_rule(
    rules: list[TokenRule], kind: ClientKind, cluster: str, name: str, orphan: bool
) -> None:
    policy = TokenPolicy(rules=rules)
    assert policy.rotated_by(kind, cluster, name, has_flag=True, is_orphan=orphan) is RotatedBy.FLAG
    fitting = [rule for rule in rules if rule.fits(kind, cluster, name)]
    expected = RotatedBy.POLICY if fitting and fitting[0].rotates and not orphan else RotatedBy.NOBODY
    assert policy.rotated_by(kind, cluster, name, has_flag=False, is_orphan=orphan) is expected
