"""Resuming an operation that was stopped or failed: only what observation says is still to do (US-09.4, US-16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.errors import ConfirmationRefused, InconsistentState, InvalidInput, NotFound, PlanChanged
from backend.core.model import ClientKind, Cluster
from backend.core.plan import ActionKind
from backend.core.update import UpdateScope
from backend.service import audit, fleet, identities, operations
from backend.service.clock_watch import ClockWatch
from backend.service.contact import patience
from backend.service.operations import OperationView, PlanView

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.service.live.conftest import Live

FORCED = {"force": True, "reason": "OPS-7"}


def begin(live: Live, action: ActionKind, *names: str, **more: object) -> str:
    with live.site.transaction() as tx:
        made = operations.plan(tx, live.site.world, live.site.admin, action=action, names=names, **more)  # type: ignore[arg-type]
    return start(live, made).row.id


def start(live: Live, made: PlanView) -> OperationView:
    with live.site.transaction() as tx:
        return operations.start(tx, live.site.world, live.site.admin, plan_id=made.id, hash=made.hash, origin="cli")


def rest(live: Live, operation: str, **pace: int) -> PlanView:
    with live.site.transaction() as tx:
        return operations.plan_resumption(tx, live.site.world, live.site.admin, operation, **pace)


def stop(live: Live, operation: str) -> None:
    with live.site.transaction() as tx:
        operations.stop(tx, live.site.world, live.site.admin, operation)


def look(live: Live, operation: str) -> OperationView:
    with live.site.transaction() as tx:
        view = operations.get(tx, operation)
    assert view.done + view.failed + view.running + view.waiting + view.skipped == view.total
    return view


def states(live: Live, operation: str) -> dict[str, str]:
    return {target.row.name: target.row.state for target in look(live, operation).targets}


def run_out(live: Live, operation: str, *silent: str, rounds: int = 60) -> OperationView:
    for _ in range(rounds):
        if look(live, operation).row.state != "running":
            break
        live.pass_interval(*silent)
    return look(live, operation)


def certificates(live: Live) -> dict[str, int]:
    with live.site.transaction() as tx:
        return {name: len(tx.certificates.of(client.number)) for name, client in live.clients.items()}


def stopped_after_one(live: Live, *names: str) -> str:
    """A forced renewal that was stopped when the first client was through."""
    for name in names:
        live.client(name)
    operation = begin(live, ActionKind.RENEW, *names, **FORCED)
    while look(live, operation).done < 1:
        live.pass_interval()
    stop(live, operation)
    run_out(live, operation)
    return operation


def test_a_stopped_forced_operation_goes_on_and_touches_no_finished_client_again(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3", "kva-4")
    done = [name for name, state in states(live, operation).items() if state == "done"]
    made = rest(live, operation)
    assert made.resumes == operation
    assert (made.draft.force, made.draft.reason, made.draft.runs) == (True, "OPS-7", 4 - len(done))
    kept = {one.name: one.why for one in made.draft.decisions if not one.runs}
    assert sorted(kept) == sorted(done)
    assert all(why.startswith("left alone: done before: serial") for why in kept.values())
    assert start(live, made).row.id == operation, "the same operation, not another one"
    view = run_out(live, operation)
    assert (view.row.state, view.done, view.total) == ("done", 4, 4)
    assert set(certificates(live).values()) == {2}, "each was renewed once"
    with live.site.transaction() as tx:
        event = next(found for found in tx.audit.newest(100) if found.action == "resume_operation")
        assert event.subject == operation
        assert (event.detail["plan_hash"], event.detail["left_alone"]) == (made.hash, str(len(done)))
        assert not any(tx.orders.open_of(client.number) for client in live.clients.values())
        assert audit.verify(tx).intact


def test_a_failed_client_that_came_right_meanwhile_is_done_and_left_alone(live: Live) -> None:
    """Stored and not in use is a failure; the restart that brings it into use needs no second certificate."""
    client = live.client("kva-1")
    live.client("kva-2")
    operation = begin(live, ActionKind.RENEW, "kva-1", "kva-2", **FORCED)
    live.tick()
    client.beat()  # takes the order and gets the certificate, and then hangs
    view = run_out(live, operation, "kva-1")
    assert (view.row.state, states(live, operation)) == ("failed", {"kva-1": "failed", "kva-2": "skipped"})
    client.beat()  # restarted
    made = rest(live, operation)
    assert [one.name for one in made.draft.decisions if one.runs] == ["kva-2"]
    start(live, made)
    assert states(live, operation) == {"kva-1": "done", "kva-2": "waiting"}
    view = run_out(live, operation)
    assert (view.row.state, view.done) == ("done", 2)
    assert certificates(live) == {"kva-1": 2, "kva-2": 2}


def test_a_failed_client_is_tried_again_and_its_old_failure_holds_nobody_back(live: Live) -> None:
    client = live.client("kva-1")
    live.client("kva-2")
    operation = begin(live, ActionKind.RENEW, "kva-1", "kva-2", **FORCED)
    client.obeys = False
    view = run_out(live, operation)
    assert (view.failed, view.skipped) == (1, 1)
    client.obeys = True
    start(live, rest(live, operation))
    view = run_out(live, operation)
    assert (view.row.state, view.done, view.failed) == ("done", 2, 0)
    assert set(certificates(live).values()) == {2}


def test_what_a_client_gets_by_itself_while_it_waits_for_its_second_turn_is_enough(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3")
    start(live, rest(live, operation))
    waiting = [name for name, state in states(live, operation).items() if state == "waiting"]
    last = live.clients[waiting[-1]]
    last.renew()
    last.call()
    view = run_out(live, operation)
    assert (view.row.state, view.done) == ("done", 3)
    assert set(certificates(live).values()) == {2}


def test_a_plan_to_resume_is_refused_once_a_client_came_right(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3")
    made = rest(live, operation)
    left = live.clients[next(one.name for one in made.draft.decisions if one.runs)]
    left.renew()
    left.call()
    with pytest.raises(PlanChanged, match=left.name):
        start(live, made)
    assert look(live, operation).row.state == "stopped"


def test_a_client_whose_state_forbids_the_action_now_is_left_out_with_the_reason(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3", "kva-4")
    left = [name for name, state in states(live, operation).items() if state == "skipped"]
    with live.site.transaction() as tx:
        identities.revoke(tx, live.site.world, live.site.admin, left[0])
    made = rest(live, operation)
    decided = {one.name: (one.runs, one.why) for one in made.draft.decisions}
    assert decided[left[0]] == (False, "refused: its identity is revoked; create a new identity")
    start(live, made)
    view = run_out(live, operation)
    assert (view.row.state, view.done, view.skipped) == ("done", 3, 1)
    row = next(target.row for target in view.targets if target.row.name == left[0])
    assert row.result == "refused: its identity is revoked; create a new identity"


def test_a_deleted_client_is_named_and_its_namesake_is_not_taken_for_it(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3")
    left = [name for name, state in states(live, operation).items() if state == "skipped"]
    with live.site.transaction() as tx:
        identities.revoke(tx, live.site.world, live.site.admin, left[0])
    with live.site.transaction() as tx:
        identities.delete(tx, live.site.world, live.site.admin, left[0])
    del live.clients[left[0]]
    live.client(left[0])
    made = rest(live, operation)
    assert {one.name: one.why for one in made.draft.decisions}[left[0]] == "refused: its identity was deleted"
    assert made.draft.runs == len(left) - 1


@pytest.mark.parametrize("state", ["running", "done"])
def test_what_runs_or_was_done_is_not_resumed(live: Live, state: str) -> None:
    live.client("kva-1")
    operation = begin(live, ActionKind.RENEW, "kva-1", **FORCED)
    if state == "done":
        run_out(live, operation)
    with pytest.raises(InconsistentState, match="still runs" if state == "running" else "nothing is left"):
        rest(live, operation)
    with pytest.raises(NotFound):
        rest(live, "none")


def test_nobody_resumes_beside_another_operation_a_second_time_or_by_another_hash(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3")
    left = next(name for name, state in states(live, operation).items() if state == "skipped")
    made, second = rest(live, operation), rest(live, operation)
    with live.site.transaction() as tx, pytest.raises(ConfirmationRefused, match="hash"):
        operations.start(tx, live.site.world, live.site.admin, plan_id=made.id, hash="0" * 64)
    other = begin(live, ActionKind.ROTATE_TOKEN, left, **FORCED)
    live.tick()
    with pytest.raises((InconsistentState, PlanChanged)):
        start(live, made)
    run_out(live, other)
    start(live, rest(live, operation))
    with pytest.raises((InconsistentState, PlanChanged)):
        start(live, second)


def test_the_pace_may_be_another_one_and_too_much_is_refused(live: Live) -> None:
    operation = stopped_after_one(live, "kva-1", "kva-2", "kva-3", "kva-4", "kva-5")
    with pytest.raises(InvalidInput, match="at a time"):
        rest(live, operation, parallel=5)
    made = rest(live, operation, parallel=4, max_failures=3)
    assert (made.draft.parallel, made.draft.max_failures) == (4, 3)
    start(live, made)
    live.tick()
    assert look(live, operation).running == made.draft.runs


def test_an_update_that_was_stopped_between_token_and_certificate_does_only_the_rest(live: Live) -> None:
    with live.site.transaction() as tx:
        fleet.put_cluster(tx, live.site.world, live.site.admin, Cluster(name="edge", is_management=True))
    client = live.client("node-1", kind=ClientKind.NODE_AGENT)
    live.client("node-2", kind=ClientKind.NODE_AGENT)
    operation = begin(live, ActionKind.UPDATE, update=UpdateScope(), **FORCED)
    live.pass_interval()  # ordered
    live.pass_interval()  # the token
    client.obeys = False
    view = run_out(live, operation, rounds=120)
    assert states(live, operation) == {"node-1": "failed", "node-2": "skipped"}
    client.obeys = True
    start(live, rest(live, operation))
    view = run_out(live, operation, rounds=120)
    assert (view.row.state, view.done) == ("done", 2)
    with live.site.transaction() as tx:
        assert [len(tx.tokens.of(one.number)) for one in live.clients.values()] == [2, 2], "one rotation each"
    assert set(certificates(live).values()) == {2}


@pytest.mark.parametrize(("late", "state"), [(0, "ordered"), (1, "failed")])
def test_an_agent_that_was_away_gives_a_client_the_whole_time_again(live: Live, late: int, state: str) -> None:
    """A client that found nobody backs off; an agent back after an hour has no reason to say that it did not answer."""
    live.client("kva")
    operation = begin(live, ActionKind.RENEW, "kva", **FORCED)
    live.tick()
    live.site.clock.advance(timedelta(hours=1))
    object.__setattr__(live.site, "world", replace(live.site.world, watch=ClockWatch()))  # a new process
    live.tick()
    assert states(live, operation) == {"kva": "ordered"}
    live.site.clock.advance(patience(None) + timedelta(seconds=late))
    live.tick()
    assert states(live, operation) == {"kva": state}


@pytest.mark.parametrize(("listened", "route"), [(150, "heartbeat"), (151, "manual")])
def test_an_agent_just_back_plans_with_heartbeats_that_it_could_not_hear_yet(
    live: Live, listened: int, route: str
) -> None:
    """Five heartbeats of thirty seconds: before that nobody is taken for silent, after it a person has to carry."""
    live.client("kva")
    live.site.clock.advance(timedelta(hours=1))
    object.__setattr__(live.site, "world", replace(live.site.world, watch=ClockWatch()))
    live.tick()
    live.site.clock.advance(timedelta(seconds=listened))
    with live.site.transaction() as tx:
        made = operations.plan(
            tx, live.site.world, live.site.admin, action=ActionKind.ROTATE_TOKEN, names=["kva"], **FORCED
        )
    assert made.draft.decisions[0].route.value == route


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, 5), min_size=1, max_size=4), parallel=st.integers(1, 4))
def test_however_often_it_is_stopped_each_client_is_touched_once(
    new_live: Callable[[Path], Live], tmp_path_factory: pytest.TempPathFactory, stops: list[int], parallel: int
) -> None:
    live = new_live(tmp_path_factory.mktemp("site"))
    names = [f"kva-{number}" for number in range(5)]
    for name in names:
        live.client(name)
    operation = begin(live, ActionKind.RENEW, *names, parallel=parallel, **FORCED)
    for rounds in stops:
        for _ in range(rounds):
            live.pass_interval()
        if look(live, operation).row.state != "running":
            break
        stop(live, operation)
        if run_out(live, operation).row.state == "stopped":
            start(live, rest(live, operation))
    view = run_out(live, operation)
    assert (view.row.state, view.done, view.total) == ("done", 5, 5)
    assert set(certificates(live).values()) == {2}
