"""What every RPC asks of its caller: one row each, and a method without a row is refused.

Owns the table `PERMISSIONS` and its reading, and is the door to MOC's role model, whose evaluation is
`backend.core.grants`. A test walks the services and fails on a method that is missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from backend.core.grants import (
    ANYWHERE,
    Action,
    GeneralOperation,
    Grant,
    Grants,
    Need,
    Permission,
    Provider,
    ProviderOperation,
    Role,
    RoleAssignment,
    Scope,
    covers,
    covers_all,
    grants_of,
    may,
)

__all__ = [
    "ANYWHERE",
    "PERMISSIONS",
    "Action",
    "GeneralOperation",
    "Grant",
    "Grants",
    "Need",
    "Permission",
    "Provider",
    "ProviderOperation",
    "Role",
    "RoleAssignment",
    "Rule",
    "RuleKind",
    "Scope",
    "allows",
    "covers",
    "covers_all",
    "grants_of",
    "may",
]

# moc.Operation
GET: Final = 0
POST: Final = 1
DELETE: Final = 2

# mocdeck.v1 ActionKind
RENEW: Final = 1
ROTATE_TOKEN: Final = 2
REPAIR: Final = 3
UPDATE: Final = 4


class RuleKind(Enum):
    """How a row decides."""

    ANONYMOUS = "anybody"  # no client certificate at all
    AUTHENTICATED = "any accepted certificate"
    SELF_OR = "about oneself, or with the need"
    NEED = "with the need"
    BY_OPERATION = "by moc.Operation"
    BY_VERB = "by moc.ProviderAccessOperation"
    BY_ACTION = "by mocdeck.v1 ActionKind of the plan or operation in question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row. `need` is set for NEED and SELF_OR, `cases` for the three that go by a number in the request.

    `also` is a second need, which may come from another role.
    """

    kind: RuleKind
    need: Need | None = None
    also: Need | None = None
    cases: Mapping[int, Rule] = field(default_factory=dict)

    def resolve(self, code: int | None) -> Rule | None:
        """Return the rule for the request's number (None when it has none); None: that number is not offered."""
        if self.kind in (RuleKind.BY_OPERATION, RuleKind.BY_VERB, RuleKind.BY_ACTION):
            return None if code is None else self.cases.get(code)
        return self


def allows(rule: Rule | None, grants: Grants, *, code: int | None, is_self: bool, on: Scope = ANYWHERE) -> bool:
    """Tell whether an authenticated caller passes a row.

    `code` is the operation, verb or action of the request; `is_self` says that every identity it names is the caller's
    own; `on` is where the thing in question is. No row, or no case for `code`: refused.
    """
    found = None if rule is None else rule.resolve(code)
    if found is None:
        return False
    if found.kind in (RuleKind.ANONYMOUS, RuleKind.AUTHENTICATED):
        return True
    if found.kind is RuleKind.SELF_OR and is_self:
        return True
    if found.need is None or not may(grants, found.need, on):
        return False
    return found.also is None or may(grants, found.also, on)


def _read(provider: Provider) -> Rule:
    return _need(Need(provider=provider, operation=GeneralOperation.READ))


def _write(provider: Provider, *parts: ProviderOperation) -> Rule:
    return _need(Need(provider=provider, operation=GeneralOperation.WRITE, parts=parts))


def _delete(provider: Provider, *parts: ProviderOperation) -> Rule:
    return _need(Need(provider=provider, operation=GeneralOperation.DELETE, parts=parts))


def _verb(provider: Provider, verb: ProviderOperation) -> Rule:
    return _need(Need(provider=provider, operation=GeneralOperation.PROVIDER_ACTION, provider_operation=verb))


def _need(need: Need) -> Rule:
    return Rule(kind=RuleKind.NEED, need=need)


def _self_or(rule: Rule) -> Rule:
    return Rule(kind=RuleKind.SELF_OR, need=rule.need)


def _invoke(provider: Provider, *parts: ProviderOperation, get: Rule | None = None) -> Rule:
    cases = {GET: get or _read(provider), POST: _write(provider, *parts), DELETE: _delete(provider)}
    return Rule(kind=RuleKind.BY_OPERATION, cases=cases)


_ANONYMOUS: Final = Rule(kind=RuleKind.ANONYMOUS)
_AUTHENTICATED: Final = Rule(kind=RuleKind.AUTHENTICATED)
_OP = ProviderOperation
_READ_FLEET: Final = _read(Provider.IDENTITY)
# Whoever may put a thing right may say that it is being seen to; a reader may not make the others deaf.
_QUIET: Final = _verb(Provider.IDENTITY, _OP.IDENTITY_CERTIFICATE_RENEW)
_ROTATE: Final = _verb(Provider.IDENTITY, _OP.IDENTITY_ROTATE)
_RENEW: Final = _verb(Provider.IDENTITY, _OP.IDENTITY_CERTIFICATE_RENEW)
_BY_ACTION: Final = Rule(
    kind=RuleKind.BY_ACTION,
    cases={
        RENEW: _RENEW,
        ROTATE_TOKEN: _ROTATE,
        REPAIR: _ROTATE,
        UPDATE: Rule(kind=RuleKind.NEED, need=_ROTATE.need, also=_RENEW.need),  # it does either to each client
    },
)
# A CA rotation cuts everybody off and a destroyed key never comes back: neither is part of any identity right.
_ROTATE_CA: Final = _write(Provider.CREDENTIAL_MONITOR)
_DESTROY_CA: Final = _delete(Provider.CREDENTIAL_MONITOR)

_SECURITY: Final = {
    "AuthenticationAgent/Login": _ANONYMOUS,
    "IdentityAgent/Invoke": _invoke(
        Provider.IDENTITY, _OP.IDENTITY_CREATE, _OP.IDENTITY_UPDATE, get=_self_or(_read(Provider.IDENTITY))
    ),
    "IdentityAgent/Operate": Rule(
        kind=RuleKind.BY_VERB,
        cases={
            _OP.IDENTITY_REVOKE: _verb(Provider.IDENTITY, _OP.IDENTITY_REVOKE),
            _OP.IDENTITY_ROTATE: _ROTATE,
        },
    ),
    "IdentityAgent/OperateCertificates": Rule(
        kind=RuleKind.BY_VERB,
        cases={
            _OP.IDENTITY_CERTIFICATE_CREATE: _self_or(_verb(Provider.IDENTITY, _OP.IDENTITY_CERTIFICATE_CREATE)),
            _OP.IDENTITY_CERTIFICATE_RENEW: _self_or(_verb(Provider.IDENTITY, _OP.IDENTITY_CERTIFICATE_RENEW)),
        },
    ),
    "IdentityAgent/Precheck": _write(Provider.IDENTITY, _OP.IDENTITY_CREATE, _OP.IDENTITY_UPDATE),
    "CertificateAgent/CreateOrUpdate": _write(Provider.CERTIFICATE, _OP.CERTIFICATE_CREATE, _OP.CERTIFICATE_UPDATE),
    "CertificateAgent/Get": _need(
        Need(provider=Provider.CERTIFICATE, operation=GeneralOperation.READ, parts=(_OP.CERTIFICATE_GET,))
    ),
    "CertificateAgent/Delete": _delete(Provider.CERTIFICATE, _OP.CERTIFICATE_DELETE),
    "CertificateAgent/Sign": _verb(Provider.CERTIFICATE, _OP.CERTIFICATE_SIGN),
    "CertificateAgent/Renew": _self_or(_verb(Provider.CERTIFICATE, _OP.CERTIFICATE_RENEW)),
    "CertificateAgent/Precheck": _write(Provider.CERTIFICATE, _OP.CERTIFICATE_CREATE, _OP.CERTIFICATE_UPDATE),
    "RoleAgent/Invoke": _invoke(Provider.ROLE, _OP.ROLE_CREATE, _OP.ROLE_UPDATE),
    "RoleAssignmentAgent/Invoke": _invoke(
        Provider.ROLE_ASSIGNMENT, _OP.ROLE_ASSIGNMENT_CREATE, _OP.ROLE_ASSIGNMENT_UPDATE
    ),
}

_CLOUD: Final = {
    "location.LocationAgent/Invoke": _invoke(Provider.LOCATION, _OP.LOCATION_CREATE, _OP.LOCATION_UPDATE),
    "group.GroupAgent/Invoke": _invoke(Provider.GROUP, _OP.GROUP_CREATE, _OP.GROUP_UPDATE),
    "admin.CredentialMonitorAgent/Get": _read(Provider.CREDENTIAL_MONITOR),
    "node.NodeAgent/Invoke": _invoke(Provider.NODE, _OP.NODE_CREATE, _OP.NODE_UPDATE),
}

_ADMIN: Final = {
    "HealthAgent/CheckHealth": _read(Provider.HEALTH_MONITOR),
    "HealthAgent/GetAgentInfo": _read(Provider.HEALTH_MONITOR),
    "VersionAgent/Get": _AUTHENTICATED,
}

_MOCDECK: Final = {
    "FleetAgent/Read": _READ_FLEET,
    "FleetAgent/Watch": _READ_FLEET,
    "FleetAgent/Describe": _self_or(_READ_FLEET),
    "FleetAgent/GetTokenPolicy": _READ_FLEET,
    "FleetAgent/PutCluster": _write(Provider.CLUSTER, _OP.CLUSTER_CREATE, _OP.CLUSTER_UPDATE),
    "FleetAgent/RemoveCluster": _delete(Provider.CLUSTER),
    "OperationAgent/Plan": _READ_FLEET,
    "OperationAgent/Start": _BY_ACTION,
    "OperationAgent/Get": _READ_FLEET,
    "OperationAgent/List": _READ_FLEET,
    "OperationAgent/Stop": _BY_ACTION,
    "OperationAgent/TakeLoginFile": _ROTATE,
    "AuthorityAgent/List": _READ_FLEET,
    "AuthorityAgent/PlanRotation": _READ_FLEET,
    "AuthorityAgent/ApproveRotation": _ROTATE_CA,
    "AuthorityAgent/StartRotation": _ROTATE_CA,
    "AuthorityAgent/GetRotation": _READ_FLEET,
    "AuthorityAgent/MoveRotation": _ROTATE_CA,
    "AuthorityAgent/DestroyAuthority": _DESTROY_CA,
    "TrustAgent/GetBundleChain": _ANONYMOUS,  # public, and for those who cannot be told apart yet
    "ClientAgent/Beat": _AUTHENTICATED,  # about the caller's own identity and no other
    "AuditAgent/List": _READ_FLEET,
    "AuditAgent/Verify": _READ_FLEET,
    "AlertAgent/List": _READ_FLEET,
    "AlertAgent/Acknowledge": _QUIET,
    "AlertAgent/Silence": _QUIET,
    "AlertAgent/Test": _QUIET,
    "DeliveryAgent/List": _READ_FLEET,
    "DeliveryAgent/Probe": _ROTATE,  # it makes the agent knock at API servers
}

PERMISSIONS: Final[Mapping[str, Rule]] = {
    **{f"/moc.cloudagent.security.{name}": rule for name, rule in _SECURITY.items()},
    **{f"/moc.cloudagent.{name}": rule for name, rule in _CLOUD.items()},
    **{f"/moc.common.admin.{name}": rule for name, rule in _ADMIN.items()},
    **{f"/mocdeck.v1.{name}": rule for name, rule in _MOCDECK.items()},
}
