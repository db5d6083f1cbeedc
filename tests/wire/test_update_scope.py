"""Whom an update is about, on the wire: management or one named cluster, and never an empty name."""

from __future__ import annotations

import pytest

from backend.core.errors import InvalidInput
from backend.core.planrules import ActionKind
from backend.core.update import UpdateScope
from backend.wire.convert.actions import NUMBERS, action_kind, update_scope, update_scope_message
from backend.wire.mocdeck.v1 import operation_pb2


def test_every_action_has_its_own_number_and_comes_back() -> None:
    assert {action_kind(number) for number in NUMBERS.values()} == set(ActionKind)
    with pytest.raises(InvalidInput, match="none of RENEW"):
        action_kind(5)


@pytest.mark.parametrize(
    "scope", [UpdateScope(), UpdateScope(cluster="wl-1"), UpdateScope(cluster="wl-1", patch_load_balancer=True)]
)
def test_a_scope_arrives_as_it_was_sent(scope: UpdateScope) -> None:
    assert update_scope(update_scope_message(scope)) == scope


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (operation_pb2.UpdateScope(), "one of the two"),
        (operation_pb2.UpdateScope(patch_load_balancer=True), "one of the two"),
        (operation_pb2.UpdateScope(management=True, cluster="wl-1"), "one of the two"),
        (operation_pb2.UpdateScope(management=True, patch_load_balancer=True), "workload clusters"),
        (operation_pb2.UpdateScope(cluster="\x1b[31m"), "cluster name"),
    ],
)
def test_a_scope_that_is_not_exactly_one_is_refused(message: operation_pb2.UpdateScope, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        update_scope(message)
