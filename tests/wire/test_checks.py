"""What the agent takes from the wire, and how it says no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InvalidInput
from backend.wire import convert
from backend.wire.moc import common_pb2

quick = settings(derandomize=True, deadline=None, max_examples=80)


@pytest.mark.parametrize("name", ["a", "kms-cluster1", "node-1.contoso.com", "two words", "Knoten-ä", "x" * 64, "..."])
def test_a_name_of_one_to_64_printable_characters_is_taken(name: str) -> None:
    assert convert.check_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        ("x" * 65, "at most 64"),
        ("a/b", "looks like a path"),
        ("a\\b", "looks like a path"),
        (".", "looks like a path"),
        ("..", "looks like a path"),
        (" a", "space"),
        ("a ", "space"),
        ("a\nb", "invisible"),
        ("a\x1b[31m", "invisible"),
        ("a\u202eb", "invisible"),
        ("a\u200bb", "invisible"),
        ("a\u3164", "invisible"),
        ("a\u0308", "NFC"),
    ],
)
def test_another_name_is_refused_and_the_refusal_says_why(name: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.check_name(name, "identity name")


def refusal_of(name: str) -> str:
    try:
        return convert.check_name(name) and ""
    except InvalidInput as refusal:
        return str(refusal)


@quick
@given(st.text(max_size=80))
def test_a_refusal_is_itself_printable_and_short(name: str) -> None:
    said = refusal_of(name)
    assert said.isprintable()
    assert len(said) < 600


@pytest.mark.parametrize("path", ["", "/var/lib/moc/cloudlogin.yaml", "/login.yaml"])
def test_a_login_file_path_is_absolute_or_empty(path: str) -> None:
    assert convert.check_login_file_path(path) == path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("cloudlogin.yaml", "must be absolute"),
        ("./cloudlogin.yaml", "must be absolute"),
        ("/var/../etc/passwd", "must not hold"),
        ("/var/lib/", "names a folder"),
        ("/", "names a folder"),
        ("/var/\0", "invisible"),
        ("/" + "x" * 4096, "at most 4096"),
        ("/" + "ä" * 2048, "longer than 4096 bytes"),
    ],
)
def test_another_login_file_path_is_refused(path: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.check_login_file_path(path)


@pytest.mark.parametrize("port", [0, 1, 55000, 65535])
def test_a_port_is_a_tcp_port_or_left_out(port: int) -> None:
    assert convert.check_port(port, "cloudPort") == port


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(InvalidInput, match="cloudPort"):
        convert.check_port(port, "cloudPort")


@pytest.mark.parametrize("version", ["", "0", "1795449600000000000"])
def test_a_version_is_decimal_or_left_out(version: str) -> None:
    assert convert.check_version(version) == version


@pytest.mark.parametrize("version", ["1.0", "-1", "٣", "9" * 21, "x"])
def test_another_version_is_refused(version: str) -> None:
    with pytest.raises(InvalidInput, match="not a version"):
        convert.check_version(version)


def test_a_fresh_status_has_every_sub_message_because_go_clients_follow_them_blindly() -> None:
    status = convert.status_message("17")
    assert {field.name for field, _ in status.ListFields()} == set(common_pb2.Status.DESCRIPTOR.fields_by_name)
    again = common_pb2.Status.FromString(status.SerializeToString())
    assert all(again.HasField(name) for name in common_pb2.Status.DESCRIPTOR.fields_by_name)
    assert again.version.number == "17"


@quick
@given(st.dictionaries(st.text("abc.-", min_size=1, max_size=9), st.text("xyz ", max_size=9), max_size=50))
def test_tags_survive_the_wire(tags: dict[str, str]) -> None:
    assert convert.tags_from(convert.tags_message(tags)) == tags


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ([("", "x")], "empty key"),
        ([("a", "1"), ("a", "2")], "given twice"),
        ([("k" * 129, "x")], "at most 128"),
        ([("k", "x" * 257)], "at most 256"),
        ([("k", "\x07")], "invisible"),
        ([(str(number), "") for number in range(51)], "at most 50"),
    ],
)
def test_tags_that_cannot_be_kept_are_refused(tags: list[tuple[str, str]], why: str) -> None:
    message = common_pb2.Tags(tags=[common_pb2.Tag(key=key, value=value) for key, value in tags])
    with pytest.raises(InvalidInput, match=why):
        convert.tags_from(message)


@quick
@given(st.datetimes(datetime(1971, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - its bounds are naive
def test_an_instant_of_whole_seconds_survives_the_wire(at: datetime) -> None:
    whole = at.replace(microsecond=0)
    assert convert.instant(convert.unix(whole)) == whole


def test_no_instant_is_zero_and_zero_is_no_instant() -> None:
    assert convert.unix(None) == 0
    assert convert.instant(0) is None


def test_an_instant_before_1970_or_beyond_the_year_9999_is_refused() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert convert.instant(convert.unix(last)) == last
    for number in (convert.unix(last) + 1, 2**63 - 1, -1, -(2**63)):
        with pytest.raises(InvalidInput, match="not an instant"):
            convert.instant(number)


def test_an_instant_that_must_be_there_is_asked_for() -> None:
    with pytest.raises(InvalidInput, match="made_at is missing"):
        convert.known_instant(0, "made_at")


@pytest.mark.parametrize(
    ("days", "in_seconds", "lifetime"),
    [
        (0, 0, timedelta(days=90)),
        (7, 0, timedelta(days=7)),
        (0, 1, timedelta(seconds=1)),
        (7, 20, timedelta(seconds=20)),
        (3650, 0, timedelta(days=3650)),
        (0, 3650 * 86400, timedelta(days=3650)),
    ],
)
def test_a_token_lives_its_seconds_else_its_days_else_90_days(days: int, in_seconds: int, lifetime: timedelta) -> None:
    assert convert.token_lifetime(days=days, in_seconds=in_seconds) == lifetime


@pytest.mark.parametrize(
    ("days", "in_seconds", "why"),
    [
        (-1, 0, "tokenExpiry is -1"),
        (-1, 60, "tokenExpiry is -1"),
        (1, -60, "tokenExpiryInSeconds is -60"),
        (3651, 0, "at most 3650 "),
        (2**63 - 1, 0, "at most"),
        (0, 3650 * 86400 + 1, "at most 315360000"),
        (0, 2**63 - 1, "at most"),
    ],
)
def test_a_token_lifetime_without_sense_is_refused(days: int, in_seconds: int, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.token_lifetime(days=days, in_seconds=in_seconds)
