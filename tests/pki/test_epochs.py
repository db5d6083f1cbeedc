"""The signed chain of trust bundles: who may go on, and that nothing but a published epoch ever comes out (R74)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import InvalidInput
from backend.pki import epochs
from backend.pki.epochs import (
    ChainBroken,
    ChainCut,
    ChainRefused,
    EpochOlder,
    EpochSkipped,
    Link,
    NotInChain,
    Statement,
    WrongSigner,
    read_statement,
    state,
    walk,
)
from backend.pki.issue import Issuer
from backend.pki.keys import KeyKind
from backend.pki.trust import bundle_pem, fingerprint


@dataclass
class History:
    """A deployment that publishes; generations are numbered from 1."""

    issuers: Sequence[Issuer]
    now: datetime
    deployment_id: str = "site-a"
    links: list[Link] = field(default_factory=list)
    last: Statement | None = None

    def publish(self, *generations: int, issuer: int, cut: bool = False) -> Link:
        """The first signer is the issuer of the epoch before, as `backend.service.epochs` chooses it."""
        pem = bundle_pem(self.issuers[generation - 1].root for generation in generations)
        said = state(
            deployment_id=self.deployment_id, epoch=len(self.links) + 1, created_at=self.now, bundle_pem=pem,
            issuer=fingerprint(self.issuers[issuer - 1].root), previous=self.last, chain_cut=cut,
        )  # fmt: skip
        before = next((one for one in self.issuers if self.last and fingerprint(one.root) == self.last.issuer), None)
        first = b"" if cut or before is None else before.sign_statement(said)
        own = self.issuers[issuer - 1].sign_statement(said)
        self.links.append(Link(statement=said.text, signature=own, previous_signature=first, bundle_pem=pem))
        self.last = said
        return self.links[-1]

    def pem(self, epoch: int) -> str:
        return self.links[epoch - 1].bundle_pem

    def since(self, epoch: int) -> list[Link]:
        return self.links[epoch - 1 :]


@pytest.fixture(scope="module")
def issuers(make_issuer: Callable[..., Issuer]) -> list[Issuer]:
    return [make_issuer(generation=number) for number in (1, 2, 3, 4)]


@pytest.fixture
def history(issuers: list[Issuer], now: datetime) -> History:
    """Two whole rotations: g1, g1+g2, g2, g2+g3, g3."""
    made = History(issuers, now)
    made.publish(1, issuer=1)
    made.publish(1, 2, issuer=1)
    made.publish(2, issuer=2)
    made.publish(2, 3, issuer=2)
    made.publish(3, issuer=3)
    return made


@pytest.mark.parametrize("epoch", [1, 2, 3, 4, 5])
def test_whoever_slept_at_any_epoch_comes_to_the_newest(history: History, epoch: int) -> None:
    """pki.md 4.6: off during two full rotations, and back with no human."""
    for known in (epoch, 0):
        reached = walk(history.pem(epoch), history.since(epoch), epoch=known)
        assert (reached.epoch, reached.bundle_pem, reached.has_moved) == (5, history.pem(5), epoch < 5)
    assert walk(history.pem(epoch), history.links, epoch=epoch).epoch == 5  # a longer chain does no harm


def test_unknown_roots_are_looked_for_from_the_newest_epoch_back(issuers: list[Issuer], now: datetime) -> None:
    """A rollback makes two epochs of the same roots; either is a beginning, and the later one is nearer."""
    made = History(issuers, now)
    made.publish(1, issuer=1)
    made.publish(1, 2, issuer=1)
    made.publish(1, issuer=1)
    assert walk(made.pem(1), made.links) == epochs.Walked(epoch=3, bundle_pem=made.pem(3), has_moved=False)
    assert walk(made.pem(1), made.links, epoch=1).has_moved


def test_roots_of_another_order_are_the_same_roots(history: History, issuers: list[Issuer]) -> None:
    turned = bundle_pem([issuers[1].root, issuers[0].root])
    assert walk(turned, history.since(2), epoch=2).epoch == 5


def test_a_skipped_epoch_is_refused(history: History) -> None:
    with pytest.raises(EpochSkipped, match="from epoch 2 to 4"):
        walk(history.pem(1), [*history.links[:2], *history.links[3:]], epoch=1)
    with pytest.raises(EpochSkipped, match="begins at epoch 2, after epoch 1"):
        walk(history.pem(1), history.since(2), epoch=1)


def test_an_older_chain_is_refused(history: History) -> None:
    with pytest.raises(EpochOlder, match="ends at epoch 3, before epoch 4"):
        walk(history.pem(4), history.links[:3], epoch=4)
    with pytest.raises(EpochOlder, match="back from epoch 2 to 1"):
        walk(history.pem(1), [history.links[1], history.links[0]], epoch=1)


def test_an_epoch_played_again_is_refused(history: History) -> None:
    with pytest.raises(EpochOlder, match="back from epoch 2 to 2"):
        walk(history.pem(1), [*history.links[:2], *history.links[1:]], epoch=1)


def test_a_bundle_of_another_epoch_under_a_good_statement_is_refused(history: History) -> None:
    forged = replace(history.links[4], bundle_pem=history.pem(3))
    with pytest.raises(ChainBroken, match="epoch 5 is not the one that was signed"):
        walk(history.pem(4), [history.links[3], forged], epoch=4)


def test_who_does_not_hold_the_key_of_the_epoch_before_leads_nobody(history: History, issuers: list[Issuer]) -> None:
    evil = issuers[3]
    pem = bundle_pem([evil.root])
    said = state(
        deployment_id="site-a", epoch=6, created_at=history.now, bundle_pem=pem, issuer=fingerprint(evil.root),
        previous=history.last,
    )  # fmt: skip
    for first in (b"", evil.sign_statement(said), history.links[4].previous_signature):
        forged = Link(
            statement=said.text, signature=evil.sign_statement(said), previous_signature=first, bundle_pem=pem
        )
        with pytest.raises(WrongSigner, match="epoch 6 is not signed by CN=site-a CA g3"):
            walk(history.pem(5), [history.links[4], forged], epoch=5)


def test_the_new_ca_itself_has_to_sign_too(history: History, issuers: list[Issuer]) -> None:
    said = read_statement(history.links[4].statement)
    half = replace(history.links[4], signature=issuers[1].sign_statement(said))
    with pytest.raises(WrongSigner, match="signed by CN=site-a CA g3"):
        walk(history.pem(4), [history.links[3], half], epoch=4)


def test_a_chain_begins_with_the_signature_of_a_root_that_is_held(history: History, issuers: list[Issuer]) -> None:
    said = read_statement(history.links[0].statement)
    forged = replace(history.links[0], signature=issuers[1].sign_statement(said))
    with pytest.raises(WrongSigner):
        walk(history.pem(1), [forged, *history.links[1:]], epoch=1)


def test_another_deployments_chain_is_not_followed(history: History, issuers: list[Issuer], now: datetime) -> None:
    other = History(issuers[1:], now, deployment_id="site-b")
    for _ in range(5):
        other.publish(1, issuer=1)
    for known in (1, 0):
        with pytest.raises(NotInChain):
            walk(history.pem(1), other.links, epoch=known)
    same_roots = History(issuers, now, deployment_id="site-b")
    same_roots.publish(1, issuer=1)
    same_roots.publish(1, 2, issuer=1)
    with pytest.raises(ChainBroken, match="does not follow"):
        walk(history.pem(1), [history.links[0], same_roots.links[1]], epoch=1)


def test_a_cut_chain_stops_whoever_trusts_the_old_ca_alone(issuers: list[Issuer], now: datetime) -> None:
    """pki.md 4.6 and R36: in compromise mode no sleeper comes along, however the epochs between are signed."""
    made = History(issuers, now)
    made.publish(1, issuer=1)
    made.publish(1, 2, issuer=1)
    made.publish(2, issuer=2, cut=True)
    made.publish(2, 3, issuer=2)
    assert made.links[2].previous_signature == b""
    for known in (1, 0):
        with pytest.raises(ChainCut, match="cut at epoch 3"):
            walk(made.pem(1), made.links, epoch=known)
    # It took the new CA home before the cut and trusts it by itself.
    assert walk(made.pem(2), made.since(2), epoch=2).epoch == 4
    assert walk(made.pem(3), made.since(3), epoch=3).epoch == 4


def test_a_missing_signature_is_no_cut_unless_the_statement_says_so(history: History) -> None:
    with pytest.raises(WrongSigner):
        walk(history.pem(4), [history.links[3], replace(history.links[4], previous_signature=b"")], epoch=4)


def test_nothing_and_too_much_are_no_chain(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChainBroken, match="0 epochs"):
        walk(history.pem(1), [], epoch=1)
    monkeypatch.setattr(epochs, "MOST_LINKS", 5)
    assert walk(history.pem(1), history.links, epoch=1).epoch == 5
    monkeypatch.setattr(epochs, "MOST_LINKS", 4)
    with pytest.raises(ChainBroken, match="5 epochs"):
        walk(history.pem(1), history.links, epoch=1)


def test_a_certificate_that_is_no_ca_is_no_root(issuers: list[Issuer], now: datetime) -> None:
    made = History(issuers, now)
    made.publish(1, issuer=1)
    leaf = issuers[0].issue_server(["agent.lab"], now, timedelta(days=9), issuers[1].root.public_key())  # type: ignore[arg-type]
    pem = made.pem(1) + leaf.pem
    said = state(
        deployment_id="site-a", epoch=2, created_at=now, bundle_pem=pem, issuer=fingerprint(issuers[0].root),
        previous=made.last,
    )  # fmt: skip
    sign = issuers[0].sign_statement(said)
    with pytest.raises(ChainBroken, match="no CA"):
        walk(
            made.pem(1),
            [*made.links, Link(statement=said.text, signature=sign, previous_signature=sign, bundle_pem=pem)],
            epoch=1,
        )


def test_roots_that_cannot_be_read_are_the_holders_trouble(history: History) -> None:
    with pytest.raises(InvalidInput) as caught:
        walk("no roots at all", history.links)
    assert not isinstance(caught.value, ChainRefused)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_every_kind_of_ca_key_signs_a_chain(make_issuer: Callable[..., Issuer], now: datetime, kind: KeyKind) -> None:
    made = History([make_issuer(kind=kind), make_issuer(generation=2, kind=kind)], now)
    made.publish(1, issuer=1)
    made.publish(1, 2, issuer=1)
    made.publish(2, issuer=2)
    assert walk(made.pem(1), made.links, epoch=1).epoch == 3


def test_the_issuer_must_be_in_its_bundle(issuers: list[Issuer], now: datetime) -> None:
    """Invariant I1 of pki.md 5.2."""
    with pytest.raises(ValueError, match="not among its roots"):
        History(issuers, now).publish(1, issuer=2)


@given(st.text() | st.binary().map(repr))
def test_any_text_is_a_statement_or_refused(text: str) -> None:
    with pytest.raises(ChainBroken):
        read_statement(text)


def test_a_statement_is_read_in_its_one_form_only(history: History) -> None:
    text = history.links[0].statement
    assert read_statement(text).text == text
    for other in (
        f" {text}", text.replace('":', '": '), text.replace('"epoch":1,', '"epoch":1.0,'),
        text.replace('"epoch":1,', '"epoch":true,'), text.replace('"epoch":1,', '"epoch":0,'),
        text.replace("epoch 1", "epoch 2"), text[:-1] + ',"more":1}', text + " " * 2**15,
    ):  # fmt: skip
        with pytest.raises(ChainBroken):
            read_statement(other)


@st.composite
def publications(draw: st.DrawFn) -> list[tuple[tuple[int, ...], int, bool]]:
    """Any history of up to eight epochs over four generations: (generations, issuer, cut)."""
    made = []
    for number in range(draw(st.integers(2, 8))):
        generations = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True))
        issuer = draw(st.sampled_from(generations))
        made.append((tuple(generations), issuer, number > 0 and draw(st.integers(0, 5)) == 0))
    return made


@given(made=publications(), data=st.data())
def test_every_holder_reaches_the_end_unless_a_cut_is_between(
    issuers: list[Issuer], now: datetime, made: list[tuple[tuple[int, ...], int, bool]], data: st.DataObject
) -> None:
    history = History(issuers, now)
    for generations, issuer, cut in made:
        history.publish(*generations, issuer=issuer, cut=cut)
    epoch = data.draw(st.integers(1, len(made)))
    held = made[epoch - 1][0]
    if any(cut and issuer not in held for _, issuer, cut in made[epoch:]):
        with pytest.raises(ChainCut):
            walk(history.pem(epoch), history.since(epoch), epoch=epoch)
    else:
        assert walk(history.pem(epoch), history.since(epoch), epoch=epoch).bundle_pem == history.pem(len(made))


@given(made=publications(), data=st.data())
def test_whatever_is_done_to_a_chain_only_a_published_epoch_comes_out(
    issuers: list[Issuer], now: datetime, made: list[tuple[tuple[int, ...], int, bool]], data: st.DataObject
) -> None:
    history = History(issuers, now)
    for generations, issuer, cut in made:
        history.publish(*generations, issuer=issuer, cut=cut)
    genuine = {(place, link.bundle_pem) for place, link in enumerate(history.links, 1)}
    epoch = data.draw(st.integers(1, len(made)))
    known = data.draw(st.sampled_from((epoch, 0)))
    chain = data.draw(st.lists(st.sampled_from(history.links), max_size=9) | st.just(list(history.links)))
    if chain:
        place, donor = data.draw(st.integers(0, len(chain) - 1)), data.draw(st.sampled_from(history.links))
        part = data.draw(st.sampled_from(["statement", "signature", "previous_signature", "bundle_pem", ""]))
        if part:
            chain[place] = replace(chain[place], **{part: getattr(donor, part)})
    try:
        reached = walk(history.pem(epoch), chain, epoch=known)
    except ChainRefused:
        return
    assert (reached.epoch, reached.bundle_pem) in genuine
    if known:
        assert reached.epoch >= epoch
