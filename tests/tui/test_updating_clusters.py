"""Updating certificates from the clusters view and by name: the plan that is shown, and what it takes to start it."""

from __future__ import annotations

from datetime import timedelta

from scripts.stage.drive import Stage, stage
from tui.screens.clusters import ClustersScreen
from tui.screens.operation import OperationScreen
from tui.screens.plan_dialog import NothingDialog, PlanDialog

CLUSTER = "bonn-wl5"


async def at_cluster(made: Stage, name: str) -> None:
    await made.press("3")
    screen = made.app.screen
    assert isinstance(screen, ClustersScreen)
    for _ in range(9):
        if screen.cursor_key == name:
            return
        await made.press("j")
    raise AssertionError(name)


def dialog(made: Stage) -> PlanDialog:
    screen = made.app.screen
    assert isinstance(screen, PlanDialog), screen
    return screen


async def test_the_plan_of_a_cluster_says_what_each_client_gets_and_what_it_will_not_fix() -> None:
    async with stage(size=(100, 60)) as made:
        await at_cluster(made, CLUSTER)
        assert "N update" in made.text
        await made.press("N")
        assert "Update 1 client in 1 cluster" in made.text
        assert "wl5-cert-manager-3" in made.text
        assert "token" in made.text
        assert "kubelets" in made.text
        assert {target.cluster for target in dialog(made).plan.targets} == {CLUSTER}
        assert made.agent.asked == []


async def test_an_update_starts_only_after_the_number_was_typed_even_for_one_client() -> None:
    async with stage() as made:
        await at_cluster(made, CLUSTER)
        await made.press("N", "y")
        assert "not started: type the number" in made.text
        assert made.agent.asked == []
        await made.press("1")
        await made.confirm()
        assert made.agent.asked == ["start plan-1"]


async def test_load_balancer_agents_come_in_with_a_key_and_go_again() -> None:
    async with stage() as made:
        await at_cluster(made, "bonn-wl3")
        await made.press("N")
        without = dialog(made).plan
        assert "load balancers: no" in made.text
        agents = [target for target in without.targets if target.kind == "LBAgent"]
        assert agents
        assert all("--patch-load-balancer" in target.why for target in agents if target.number)
        await made.press("l")
        assert "load balancers: yes" in made.text
        assert dialog(made).plan.hash != without.hash
        assert not any("--patch-load-balancer" in target.why for target in dialog(made).plan.targets)
        await made.press("l")
        assert dialog(made).plan.hash == without.hash


async def test_a_management_cluster_under_the_cursor_means_management() -> None:
    async with stage() as made:
        await at_cluster(made, "bonn-mgmt")
        await made.press("N")
        targets = dialog(made).plan.targets
        assert targets[0].kind == "NodeAgent"
        assert "load balancers" not in made.text
        by_key = dialog(made).plan.hash
        await made.press("escape", "M")
        assert dialog(made).plan.hash == by_key


async def test_both_are_found_by_name_on_the_command_line() -> None:
    async with stage() as made:
        await made.press("colon", *"update-certificates", "enter")
        assert dialog(made).plan.targets[0].kind == "NodeAgent"
        await made.press("escape")
        await made.seconds()  # the agent is heard of again
        await at_cluster(made, CLUSTER)
        await made.press("colon", *"update-cluster-certificates", "enter")
        assert {target.cluster for target in dialog(made).plan.targets} == {CLUSTER}


async def test_management_runs_in_its_order_and_shows_its_progress() -> None:
    async with stage() as made:
        await made.press("M")
        plan = dialog(made).plan
        kinds = [target.kind for target in plan.targets if target.runs]
        assert kinds[:2] == ["NodeAgent", "NodeAgent"]
        assert "NodeAgent" not in kinds[2:]
        await made.type(str(plan.runs))
        await made.confirm()
        assert made.agent.asked == [f"start {plan.id}"]
        assert isinstance(made.app.screen, OperationScreen)
        assert "update certificates" in made.text


async def test_facts_that_changed_since_the_plan_was_seen_start_nothing() -> None:
    async with stage() as made:
        await at_cluster(made, CLUSTER)
        await made.press("N")
        made.agent.alter("wl5-cert-manager-3", token=timedelta(days=1))
        await made.press("1")
        await made.confirm()
        assert "Nothing was started" in made.text
        assert "wl5-cert-manager-3" in made.text
        assert dialog(made).plan.id == "plan-3"


async def test_a_cluster_of_which_nothing_is_due_says_so_and_offers_force_with_a_reason() -> None:
    async with stage() as made:
        made.agent.alter("wl5-cert-manager-3", token=timedelta(days=80))
        await made.seconds()
        await at_cluster(made, CLUSTER)
        await made.press("N")
        assert isinstance(made.app.screen, NothingDialog)
        assert "not due: nothing changed" in made.text
        await made.press("F", *"OPS-7", "enter")
        plan = dialog(made).plan
        assert (plan.force, plan.reason) == (True, "OPS-7")
        assert plan.runs > 1


async def test_read_only_plans_nothing() -> None:
    async with stage(write=False) as made:
        await at_cluster(made, CLUSTER)
        for key in ("N", "M"):
            await made.press(key)
            assert "read-only" in made.text
        assert made.agent.looks["plan"] == 0
