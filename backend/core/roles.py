"""The built-in roles of MOC whose provider this agent serves (moc/protocol.md, section 7).

Data, read by `backend.core.rbac`. Roles of providers that are not here (virtual machines, networks, key vaults) are
left out: a role that can never grant anything only misleads.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from backend.core.rbac import Action, GeneralOperation, Permission, Provider, ProviderOperation, Role

_NAMESPACE: Final = UUID("a3f1c1a4-5d5e-4f0b-9d0a-6f7f6c1f2b01")  # ids follow from names, alike in every deployment

_ALL: Final = GeneralOperation.ALL
_READ: Final = GeneralOperation.READ
_WRITE: Final = GeneralOperation.WRITE
_DELETE: Final = GeneralOperation.DELETE
_VERB: Final = GeneralOperation.PROVIDER_ACTION


def _action(provider: Provider, operation: GeneralOperation, verb: int = 0) -> Action:
    return Action(provider=provider, operation=operation, provider_operation=verb)


def _role(name: str, *actions: Action, without: tuple[Action, ...] = ()) -> Role:
    return Role(
        name=name,
        id=str(uuid5(_NAMESPACE, name)),
        permissions=(Permission(actions=actions, not_actions=without),),
        is_built_in=True,
        version="1",  # they never change; Go clients read a version of everything (moc/protocol.md 2.1)
    )


# A contributor changes everything but who may do what, and but the CA on which everybody hangs.
_NOT_FOR_CONTRIBUTORS: Final = tuple(
    _action(provider, operation)
    for provider in (Provider.ROLE, Provider.ROLE_ASSIGNMENT, Provider.CREDENTIAL_MONITOR)
    for operation in (_WRITE, _DELETE, _VERB)
)

OWNER: Final = _role("Owner", _action(Provider.ANY, _ALL))

BUILT_IN: Final[tuple[Role, ...]] = (
    OWNER,
    _role("Contributor", _action(Provider.ANY, _ALL), without=_NOT_FOR_CONTRIBUTORS),
    _role("Reader", _action(Provider.ANY, _READ)),
    _role("LocationContributor", _action(Provider.LOCATION, _ALL)),
    _role("GroupContributor", _action(Provider.GROUP, _ALL)),
    _role("NodeContributor", _action(Provider.NODE, _READ), _action(Provider.NODE, _WRITE)),
    _role("ClusterContributor", _action(Provider.CLUSTER, _READ), _action(Provider.CLUSTER, _WRITE)),
    _role("RoleContributor", _action(Provider.ROLE, _ALL), _action(Provider.ROLE_ASSIGNMENT, _ALL)),
    _role("IdentityContributor", _action(Provider.IDENTITY, _ALL)),
    _role("CertificateContributor", _action(Provider.CERTIFICATE, _ALL)),
    _role(
        "CertificateSigner",
        _action(Provider.CERTIFICATE, _VERB, ProviderOperation.CERTIFICATE_SIGN),
        _action(Provider.CERTIFICATE, _VERB, ProviderOperation.CERTIFICATE_RENEW),
    ),
    _role("HealthReader", _action(Provider.HEALTH_MONITOR, _READ)),
    _role("LocationReader", _action(Provider.LOCATION, _READ)),
    _role("GroupReader", _action(Provider.GROUP, _READ)),
    _role("NodeReader", _action(Provider.NODE, _READ)),
    _role("ClusterReader", _action(Provider.CLUSTER, _READ)),
    _role("IdentityReader", _action(Provider.IDENTITY, _READ)),
    _role("RoleReader", _action(Provider.ROLE, _READ), _action(Provider.ROLE_ASSIGNMENT, _READ)),
    _role("CertificateReader", _action(Provider.CERTIFICATE, _READ)),
)
