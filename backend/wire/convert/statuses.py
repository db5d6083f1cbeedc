"""Status and tags, which every MOC resource carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from backend.core.errors import InvalidInput
from backend.wire.convert.checks import TAG_COUNT, TAG_KEY_LENGTH, check_text, check_version, quoted
from backend.wire.moc import common_pb2


class HasStatus(Protocol):
    """A resource message with the `status` that clients echo."""

    @property
    def status(self) -> common_pb2.Status: ...


def status_message(version: str) -> common_pb2.Status:
    """A status as MOC's own library makes it fresh, with `version` in it.

    Go clients follow `status.version` without looking whether it is there, and old ones other parts too, so every
    sub-message is present, if empty (moc/protocol.md 2.1). Every resource in every answer needs one.
    """
    status = common_pb2.Status(version=common_pb2.Version(number=version))
    for part in (
        status.health,
        status.provisioningStatus,
        status.lastError,
        status.downloadStatus,
        status.validationStatus,
        status.placementStatus,
        status.uploadStatus,
    ):
        part.SetInParent()
    return status


def version_from(resource: HasStatus) -> str:
    """The version that a caller read and sends back; empty when it sends none.

    Raises:
        InvalidInput: it is no version.
    """
    return check_version(resource.status.version.number)


def tags_message(tags: Mapping[str, str]) -> common_pb2.Tags:
    """Tags in the order of their keys, so that equal tags are equal bytes."""
    return common_pb2.Tags(tags=[common_pb2.Tag(key=key, value=tags[key]) for key in sorted(tags)])


def tags_from(message: common_pb2.Tags) -> dict[str, str]:
    """The tags of a resource: at most 50, keys of 1 to 128 and values of up to 256 printable characters.

    Raises:
        InvalidInput: there are more, one is too long or unprintable, or a key stands twice.
    """
    if len(message.tags) > TAG_COUNT:
        raise InvalidInput(f"{len(message.tags)} tags; at most {TAG_COUNT} are kept")
    tags: dict[str, str] = {}
    for tag in message.tags:
        if not tag.key:
            raise InvalidInput("a tag has an empty key; give it one or leave it out")
        key = check_text(tag.key, "tag key", limit=TAG_KEY_LENGTH)
        if key in tags:
            raise InvalidInput(f"tag {quoted(key)} is given twice; send it once")
        tags[key] = check_text(tag.value, f"value of tag {quoted(key)}")
    return tags
