"""The calendar of what ends: one entry a cluster and week, escaped and folded as RFC 5545 says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.export import Head
from backend.core.icalendar import End, as_ics, folded

NOW = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)  # a Sunday
DAY = timedelta(days=1)
HEAD = Head(observed_at=NOW, agent="agent.bonn.example:55000", deployment="bonn", tool_version="0.1.0", filter="kms")


def end(client: str, at: datetime, *, cluster: str = "wl1", what: str = "certificate") -> End:
    return End(cluster=cluster, client=client, what=what, at=at)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def entries(text: str) -> list[dict[str, str]]:
    found = []
    for block in "\n".join(unfolded(text)).split("BEGIN:VEVENT")[1:]:
        lines = block.partition("END:VEVENT")[0].strip().splitlines()
        found.append(dict(line.split(":", 1) for line in lines))
    return found


def test_a_cluster_s_week_is_one_entry_whatever_ends_in_it() -> None:
    ends = [end(f"kms-{n}", NOW + DAY + n * timedelta(hours=1)) for n in range(40)]
    ends += [end("kms-1", NOW + 2 * DAY, what="token"), end("csi-1", NOW + 2 * DAY, cluster="wl2")]
    first, second = entries(as_ics(ends, HEAD))
    assert first["SUMMARY"] == "wl1: 40 certificates and 1 token end in week 48"
    assert first["DTSTART"] == "20261123T165214Z"
    assert first["DESCRIPTION"].count("\\n") == 21, "twenty are named, the rest is counted, the foot says of when"
    assert "and 21 more" in first["DESCRIPTION"]
    assert "filter kms" in first["DESCRIPTION"]
    assert second["SUMMARY"] == "wl2: 1 certificate ends in week 48"


def test_a_week_begins_on_monday_at_midnight_utc() -> None:
    monday = datetime(2026, 11, 30, tzinfo=UTC)
    before, at, after = (as_ics([end("kms-1", monday + timedelta(seconds=s))], HEAD) for s in (-1, 0, 1))
    assert [entries(text)[0]["SUMMARY"][-2:] for text in (before, at, after)] == ["48", "49", "49"]


def test_what_has_ended_is_not_in_it() -> None:
    second = timedelta(seconds=1)
    assert entries(as_ics([end("kms-1", NOW - second), end("kms-2", NOW)], HEAD)) == []
    assert len(entries(as_ics([end("kms-1", NOW + second)], HEAD))) == 1


def test_a_newer_export_replaces_the_entry_of_an_older_one() -> None:
    older = entries(as_ics([end("kms-1", NOW + DAY)], HEAD))[0]
    later = Head(observed_at=NOW + timedelta(hours=1), agent=HEAD.agent, deployment="bonn", tool_version="0.1.0")
    newer = entries(as_ics([end("kms-1", NOW + DAY), end("kms-2", NOW + DAY)], later))[0]
    assert older["UID"] == newer["UID"]
    assert older["DTSTAMP"] < newer["DTSTAMP"]
    elsewhere = entries(as_ics([end("kms-1", NOW + DAY, cluster="wl2")], HEAD))[0]
    assert elsewhere["UID"] != older["UID"]


def test_names_cannot_end_a_value_or_begin_a_property() -> None:
    hostile = "x;y,z\\n\r\nATTENDEE:mailto:a@b.example"
    text = as_ics([end(hostile, NOW + DAY, cluster="wl\r\nEND:VCALENDAR")], HEAD)
    assert not [line for line in unfolded(text) if line.startswith("ATTENDEE")]
    assert text.count("\r\nEND:VCALENDAR") == 1
    assert "x\\;y\\,z\\\\n" in entries(text)[0]["DESCRIPTION"]


def test_a_simulated_fleet_says_so_in_every_entry() -> None:
    head = Head(observed_at=NOW, agent="a", deployment="b", tool_version="0", simulated=True)
    assert entries(as_ics([end("kms-1", NOW + DAY)], head))[0]["SUMMARY"].startswith("SIMULATED ")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_folding_loses_nothing_and_no_piece_is_too_long(line: str) -> None:
    pieces = folded(line)
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=80), st.text(max_size=80))
def test_no_name_breaks_the_form(client: str, cluster: str) -> None:
    text = as_ics([end(client, NOW + DAY, cluster=cluster)], HEAD)
    assert all(re.match(r"[A-Z-]+:| ", line) for line in text.split("\r\n")[:-1])
    assert len(entries(text)) == 1
