"""Between the words of `backend.core` and the messages of `backend.wire`: the one place that knows both.

What comes from the wire is checked on its way in and refused with `InvalidInput`; no room below sees it unchecked.
Nothing here decides, stores or reads a clock.
"""

from backend.wire.convert.audit import audit_event, audit_record
from backend.wire.convert.certificates import (
    LoginRequest,
    SigningOrder,
    certificate_message,
    decoded,
    encoded,
    login_message,
    login_request,
    login_response,
    signing_message,
    signing_order,
)
from backend.wire.convert.checks import (
    check_login_file_path,
    check_name,
    check_optional_name,
    check_port,
    check_text,
    check_version,
    quoted,
)
from backend.wire.convert.fleet import (
    authority_info,
    authority_row,
    check_form,
    cluster_info,
    cluster_row,
    fleet_chunks,
    fleet_delta,
    fleet_request,
)
from backend.wire.convert.identities import all_tags, draft_message, identity_draft, identity_message, token_lifetime
from backend.wire.convert.instants import instant, known_instant, unix
from backend.wire.convert.resources import group_from, location_from, named_certificate_from, node_from
from backend.wire.convert.roles import (
    assignment_from,
    assignment_message,
    role_from,
    role_message,
    scope_from,
    scope_message,
)
from backend.wire.convert.statuses import status_message, tags_from, tags_message, version_from
from backend.wire.convert.verbs import certificate_verb, identity_verb

__all__ = [
    "LoginRequest",
    "SigningOrder",
    "all_tags",
    "assignment_from",
    "assignment_message",
    "audit_event",
    "audit_record",
    "authority_info",
    "authority_row",
    "certificate_message",
    "certificate_verb",
    "check_form",
    "check_login_file_path",
    "check_name",
    "check_optional_name",
    "check_port",
    "check_text",
    "check_version",
    "cluster_info",
    "cluster_row",
    "decoded",
    "draft_message",
    "encoded",
    "fleet_chunks",
    "fleet_delta",
    "fleet_request",
    "group_from",
    "identity_draft",
    "identity_message",
    "identity_verb",
    "instant",
    "known_instant",
    "location_from",
    "login_message",
    "login_request",
    "login_response",
    "named_certificate_from",
    "node_from",
    "quoted",
    "role_from",
    "role_message",
    "scope_from",
    "scope_message",
    "signing_message",
    "signing_order",
    "status_message",
    "tags_from",
    "tags_message",
    "token_lifetime",
    "unix",
    "version_from",
]
