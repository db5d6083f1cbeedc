"""tokens.yaml: what is accepted, and what a refusal says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import InvalidInput
from backend.core.model import ClientKind
from backend.core.token_policy import TokenPolicy
from backend.pki.files import UnsafeFile
from backend.service.token_file import TOKEN_FILE, parse_token_policy, read_token_file

PATH = Path("/agent/tokens.yaml")
WHOLE = """
rotate:
  - name: nodes
    kinds: [NodeAgent, kms]
    clusters: [wl1]
    identities: [csi-1]
    overlap: 12h
  - {name: lab, clusters: [lab], rotate: false}
  - {name: rest, all: true}
"""


def read(text: str) -> TokenPolicy:
    return parse_token_policy(text.encode(), PATH)


def test_no_file_and_an_empty_one_mean_that_only_the_flag_counts(tmp_path: Path) -> None:
    assert read_token_file(tmp_path) == TokenPolicy()
    assert read("").rules == ()
    assert read("rotate: []").rules == ()


def test_every_key_is_read_and_kinds_in_any_case() -> None:
    nodes, lab, rest = read(WHOLE).rules
    assert nodes.kinds == {ClientKind.NODE_AGENT, ClientKind.KMS}
    assert (nodes.clusters, nodes.identities, nodes.overlap) == ({"wl1"}, {"csi-1"}, timedelta(hours=12))
    assert (lab.rotates, rest.rotates, rest.kinds, rest.overlap) == (False, True, frozenset(), None)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / TOKEN_FILE
    path.write_text(WHOLE)
    path.chmod(0o644)
    with pytest.raises(UnsafeFile, match="chmod 600"):
        read_token_file(tmp_path)
    path.chmod(0o600)
    assert len(read_token_file(tmp_path).rules) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is not YAML"),
        ("- 1", "the file must hold the keys rotate"),
        ("rules: []", "unknown key 'rules'"),
        ("rotate: all", "rotate must be a list"),
        ("rotate: [{name: '', all: true}]", r"rotate\[0\].name must be"),
        ("rotate: [{name: a}]", r"rotate\[0\] must have either kinds, clusters or identities, or `all: true`"),
        ("rotate: [{name: a, all: true, kinds: [KMS]}]", "either kinds"),
        ("rotate: [{name: a, all: 1}]", r"rotate\[0\].all must be true or false"),
        ("rotate: [{name: a, kinds: [Kubelet]}]", "holds 'Kubelet'; kinds are NodeAgent"),
        ("rotate: [{name: a, kinds: []}]", "must be a list of at least one text"),
        ("rotate: [{name: a, clusters: wl1}]", "must be a list of at least one text"),
        ("rotate: [{name: a, all: true, overlap: 31d}]", "overlap must be a duration up to 30d"),
        ("rotate: [{name: a, all: true, overlap: 0s}]", "overlap must be a duration up to 30d"),
        ("rotate: [{name: a, all: true, overlap: soon}]", "overlap must be a duration up to 30d"),
        ("rotate: [{name: a, all: true, rotate: false, overlap: 1h}]", "does not rotate; remove one of the two"),
        ("rotate: [{name: a, all: true}, {name: a, kinds: [KMS]}]", "taken by an earlier rule"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        read(text)
    assert str(PATH) in str(refused.value)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_a_policy_or_a_refusal(data: bytes) -> None:
    try:
        parse_token_policy(data, PATH)
    except InvalidInput as refused:
        said = str(refused)
    else:
        said = str(PATH)
    assert str(PATH) in said
