"""Each message of domain.md, section 14, leads to its diagnosis, its action and its warning, however it was pasted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.ailments import AILMENTS
from backend.core.diagnosis import MAX_TEXT, diagnose

ROWS = [  # what is pasted, the row, a word of its action, a word of what not to do
    ("Certificate has expired: Expired", "admin_certificate_expired", "Repair-MocLogin", "clusters"),
    ("kvactl: Certificate has expired: Expired", "kvactl_certificate_expired", "this host", "other hosts"),
    ("Error: certificate has expired (kvactl cluster list)", "kvactl_certificate_expired", "this host", "other hosts"),
    ("Valid Token Required", "token_not_valid", "rotate-token", "renew"),
    (
        "x509: certificate has expired or is not yet valid",
        "leaf_expired_or_clock",
        "Compare both clocks first",
        "rotate the CA",
    ),
    ("x509: certificate signed by unknown authority", "authority_unknown", "fingerprint", "renew"),
    ("Location MocLocation doesn't expose any nodes", "node_agents_out", "Repair-Moc", "capacity"),
    ("rpc error: OutOfCapacity", "node_agents_out", "Repair-Moc", "capacity"),
    ("ControlPlane machines are still upgrading", "caph_out", "management", "wait"),
    ("dial unix /opt/kmsPlugin.sock: connect: no such file or directory", "kms_plugin_down", "KMS", "API server"),
    ("Internal error occurred: unable to transform secret", "kms_cannot_decrypt", "KMS", ""),
    ("error: You must be logged in to the server (Unauthorized)", "kubelet_or_kubeconfig_stale", "in use", "again"),
    ("ca-node-agent-7  NodeA  Starting  for 14 minutes (node agent)", "node_agent_starting", "Repair-Moc", "restart"),
    ("kube-system certificate-renewal-abc12 0/1 CrashLoopBackOff 212", "renewal_engine_down", "earliest end", "run"),
    ("certificate is not yet valid: notBefore is in the future", "not_yet_valid", "clocks", "expired"),
    ("rpc error: code = DeadlineExceeded desc = deadline exceeded", "agent_unreachable", "55000", "last values"),
    ("rpc error: code = Unavailable", "agent_unreachable", "55000", "last values"),
    ("Repair-AksHciCerts: unknown flag: --fix", "versions_differ", "new shell", "same again"),
]


@pytest.mark.parametrize(("pasted", "wanted", "action", "avoid"), ROWS)
def test_each_known_message_comes_first_for_its_own_text(pasted: str, wanted: str, action: str, avoid: str) -> None:
    best = diagnose(pasted)[0]
    assert best.ailment.id == wanted
    assert action.lower() in best.ailment.action.lower()
    assert avoid.lower() in best.ailment.avoid.lower()


def test_every_row_of_the_table_is_tried_and_says_what_to_do() -> None:
    assert {row.id for row in AILMENTS} == {wanted for _, wanted, _, _ in ROWS}
    assert len({row.id for row in AILMENTS}) == len(AILMENTS)
    for row in AILMENTS:
        assert all((row.meaning, row.action, row.where, row.look)), row.id


@pytest.mark.parametrize(("pasted", "wanted", "action", "avoid"), ROWS)
def test_case_line_breaks_and_quotes_do_not_matter(pasted: str, wanted: str, action: str, avoid: str) -> None:
    torn = "\n".join(pasted[at : at + 7] for at in range(0, len(pasted), 7))
    for changed in (pasted.upper(), torn, pasted.replace(" ", "  \t"), f'{{"msg": "{pasted}\\n"}}', f"│ {pasted} │"):
        assert diagnose(changed)[0].ailment.id == wanted, changed


def test_go_says_which_side_of_the_validity_it_was_and_that_decides() -> None:
    text = "x509: certificate has expired or is not yet valid: current time 2026-11-22T10Z is {} 2026-11-22T11Z"
    before, after = diagnose(text.format("before")), diagnose(text.format("after"))
    assert before[0].ailment.id == "not_yet_valid"
    assert after[0].ailment.id == "leaf_expired_or_clock"
    assert {one.ailment.id for one in before} >= {"not_yet_valid", "leaf_expired_or_clock"}, "the other stays in sight"


def test_a_part_of_a_message_is_enough_and_ranks_below_a_whole_one() -> None:
    found = diagnose("token required")
    assert [one.ailment.id for one in found] == ["token_not_valid"]
    assert not found[0].is_whole
    ranked = diagnose("certificate has expired")
    assert ranked[0].ailment.id == "kvactl_certificate_expired"
    assert [one.is_whole for one in ranked] == sorted((one.is_whole for one in ranked), reverse=True)


def test_several_messages_in_one_log_are_all_found() -> None:
    log = "\n".join(f"2026-11-22 10:00:0{n} E {ROWS[n][0]}" for n in (3, 5, 9))
    assert {one.ailment.id for one in diagnose(log)} >= {"token_not_valid", "authority_unknown", "kms_plugin_down"}


def test_two_pieces_of_a_message_must_stand_near_each_other() -> None:
    far = "node agent is fine. " + "all is well. " * 60 + "Starting the next page"
    assert all(one.ailment.id != "node_agent_starting" for one in diagnose(far))


@pytest.mark.parametrize("text", ["", "   ", "hello", "all nodes are ready", "x509", "exp", "\x1b[0m"])
def test_what_fits_nothing_gets_no_diagnosis(text: str) -> None:
    assert diagnose(text) == ()


def test_of_a_long_log_the_end_counts() -> None:
    assert diagnose("x " * MAX_TEXT + "Valid Token Required")[0].ailment.id == "token_not_valid"
    assert diagnose("Valid Token Required" + "x " * MAX_TEXT) == ()


@settings(deadline=None)
@given(st.text(max_size=400))
def test_no_text_gives_anything_back_that_was_pasted(text: str) -> None:
    wordings = {pieces for row in AILMENTS for pieces in row.said}
    assert all(one.found in wordings for one in diagnose(text))
