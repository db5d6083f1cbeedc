"""Before a CA rotation runs: which kind, with which settings, approved by whom, and its typed confirmation."""

from __future__ import annotations

from backend.core.errors import InconsistentState, NotFound
from backend.core.overlap_gates import OverlapSettings
from tui.format import count
from tui.rotating import RotationKind, RotationPlanView, RotationView
from tui.screens.actions import PRODUCTION
from tui.screens.rotation_approval import Approval, ApproveDialog
from tui.screens.rotation_confirm import Confirmation, RotationConfirm
from tui.screens.rotation_face import RotationFace
from tui.screens.rotation_kinds import SettingsDialog
from tui.screens.rotation_plan import failing, plan_difference


class PlanningScreen(RotationFace):
    """The commands of a plan."""

    def cmd_reload(self) -> None:
        """Plan anew, or look again."""
        if self.rotation is None:
            self.plan_anew()
        self.look_again()
        self.app.cmd_reload()

    def cmd_last_rotation(self) -> None:
        """Show how the last rotation ended."""
        if self.last is None:
            self.app.notice("last one: this CA was never rotated", "warning")
        else:
            self.rotation, self.plan, self.top = self.last, None, 0

    def cmd_plan_overlap(self) -> None:
        """Plan the rotation in which nobody loses the agent."""
        self._plan_as(RotationKind.OVERLAP)

    def cmd_plan_disruptive(self) -> None:
        """Plan the one in which everybody does."""
        self._plan_as(RotationKind.DISRUPTIVE)

    def cmd_plan_compromise(self) -> None:
        """Plan the one after the CA's key was stolen."""
        self._plan_as(RotationKind.COMPROMISE)

    def cmd_plan_rehearsal(self) -> None:
        """Plan the one that changes nothing."""
        self._plan_as(RotationKind.REHEARSAL)

    def _plan_as(self, kind: RotationKind) -> None:
        if kind is not self.kind:
            self.kind = kind
            self.plan_anew()

    def cmd_settings(self) -> None:
        """Edit the settings of a rotation with overlap."""
        if self.kind is not RotationKind.OVERLAP:
            self.app.notice("settings: they are for a rotation with overlap; o plans one", "warning")
            return
        self.app.push_screen(SettingsDialog(self.settings), self._set)

    def _set(self, settings: OverlapSettings | None) -> None:
        if settings is None or settings == self.settings:
            self.app.notice("settings: unchanged")
            return
        self.settings = settings
        self.app.notice("settings: a new plan, with a new hash, is made with them", "title")
        self.plan_anew()

    def no_confirmation(self) -> str:
        """Return why the plan cannot be confirmed; "" when it can."""
        plan = self.plan
        if plan is None:
            return "there is no plan yet"
        fails = failing(plan)
        if fails:
            names = ", ".join(check.test for check in fails)
            return f"locked, {count(len(fails), 'readiness check fails', 'readiness checks fail')}: {names}"
        if self.app.now is not None and self.app.now > plan.expires_at:
            return "the plan is too old; . makes a new one"
        return ""

    def cmd_confirm_rotation(self) -> None:
        """Ask for the typed confirmation."""
        plan = self.plan
        if plan is not None:
            tag = PRODUCTION if self.app.site_tag.upper() == PRODUCTION else ""
            self.app.push_screen(RotationConfirm(plan, tag), lambda typed: self._confirmed(plan, typed))

    def _confirmed(self, plan: RotationPlanView, typed: Confirmation | None) -> None:
        what = "rehearsal" if plan.kind is RotationKind.REHEARSAL else "CA rotation"
        if typed is None:
            self.app.notice(f"{what}: not started")
            return
        self.app.notice(f"{what}: starting", "dim")
        self.app.run_agent_call(self._start(plan, typed), what=what, then=self._started)

    async def _start(self, plan: RotationPlanView, typed: Confirmation) -> RotationView | RotationPlanView:
        gateway = self.app.gateway
        try:
            return await gateway.start_rotation(plan, typed.typed_name, typed.reason)
        except (InconsistentState, NotFound) as error:  # changed, too old, not approved, not ready any more
            fresh = await gateway.plan_rotation(plan.kind, plan.settings)
            self.changes = (str(error), *plan_difference(plan, fresh))
            return fresh

    def _started(self, result: RotationView | RotationPlanView) -> None:
        if isinstance(result, RotationView):
            self._take(result)
            self._seen(self.app.clock.monotonic())
            what = "rehearsal" if result.kind is RotationKind.REHEARSAL else "CA rotation"
            self.app.toast_result(f"{what} started; the agent carries it out")
        else:
            self.plan, self.top = result, 0
            self.app.notice("CA rotation: not started, see the new plan", "warning")
        self.draw()

    def cmd_approve(self) -> None:
        """Vouch, as the second person, for a plan that somebody else made."""
        deployment = self.app.model.columns.deployment or self.app.gateway.connection.context
        self.app.push_screen(ApproveDialog(deployment, self.plan), self._approve)

    def _approve(self, given: Approval | None) -> None:
        if given is None:
            self.app.notice("approve: nothing was approved")
            return
        self.app.run_agent_call(
            self.app.gateway.approve_rotation(given.plan_id, given.hash, given.typed_name),
            what="approve",
            then=lambda name: self.app.toast_result(f"plan {given.plan_id} is approved by {name}; its maker starts it"),
        )
