"""Times: read tolerantly, kept as naive UTC, printed in one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.times import OPEN_END, iso, parse_event_time, parse_instant, utcnow

NINE = datetime(2026, 3, 31, 9, 0, tzinfo=UTC).replace(tzinfo=None)

moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001 - naive UTC
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-31T09:00:00Z",
        "2026-03-31T09:00:00.000Z",
        "2026-03-31T09:00Z",
        "2026-03-31t09:00:00z",
        "2026-03-31 09:00:00Z",
        "  2026-03-31T09:00:00Z\n",
        "2026-03-31T11:00:00+02:00",
        "2026-03-31T11:00:00+0200",
        "2026-03-31T11:00:00+02",
        "2026-03-31T04:30:00-04:30",
        "2026-03-31T09:00:00,0Z",
    ],
)
def test_usual_spellings_are_read_without_a_note(text: str) -> None:
    assert parse_event_time(text) == (NINE, "")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("2026-03-31T09:00:00", "time without zone: taken as UTC"),
        ("2026-03-31T09:00:00+00:00Z", "time with two zones: the offset is used"),
        ("2026-03-31T10:00:00+01:00[Europe/London]", "time with two zones: the offset is used"),
        ("2026-03-31T09:00:00Z[Europe/London]", "time with two zones: the offset is used"),
    ],
)
def test_odd_spellings_are_read_and_noted(text: str, note: str) -> None:
    assert parse_event_time(text) == (NINE, note)


def test_a_bare_date_is_its_first_instant() -> None:
    assert parse_event_time("2026-03-31") == (NINE.replace(hour=0), "date without time: taken as midnight UTC")


def test_nanoseconds_are_cut_not_rounded() -> None:
    parsed = parse_event_time("2026-03-31T09:00:00.123456999Z")
    assert parsed is not None
    assert parsed.at == NINE.replace(microsecond=123456)


def test_a_leap_second_is_the_next_second() -> None:
    parsed = parse_event_time("2016-12-31T23:59:60Z")
    assert parsed is not None
    assert iso(parsed.at) == "2017-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1774947600",
        "{{ any(string) }}",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-31T25:00:00Z",
        "2026-03-31T09:61:00Z",
        "2026-03-31T09:00:61Z",
        "2026-03-31T09:00:00+24:00",
        "2026-03-31T09:00:00+02:60",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T00:00:00Z",
        "2026-03-31T09:00:00Z trailing",
        "٢٠٢٦-03-31T09:00:00Z",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_event_time(text) is None


@given(moments)
def test_what_is_printed_reads_back_as_the_same_time(at: datetime) -> None:
    assert parse_event_time(iso(at) or "") == (at, "")


@given(moments, offsets)
def test_any_offset_names_the_same_instant(at: datetime, zone: timezone) -> None:
    local = at.replace(tzinfo=UTC)
    try:
        text = local.astimezone(zone).isoformat()
    except OverflowError:
        return
    assert parse_event_time(text) == (at, "")


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    parsed = parse_event_time(text)
    assert parsed is None or parsed.at < OPEN_END


def test_the_open_end_is_printed_as_no_time() -> None:
    assert iso(OPEN_END) is None
    assert iso(None) is None


def test_microseconds_are_printed_only_when_there_are_some() -> None:
    assert iso(NINE) == "2026-03-31T09:00:00Z"
    assert iso(NINE.replace(microsecond=5)) == "2026-03-31T09:00:00.000005Z"


def test_a_person_may_write_now() -> None:
    before = utcnow()
    assert before <= parse_instant(" Now ") <= utcnow()


@pytest.mark.parametrize(
    ("text", "past"),
    [
        ("30 days ago", timedelta(days=30)),
        (" 1  Hour AGO", timedelta(hours=1)),
        ("90minutes ago", timedelta(minutes=90)),
        ("2 weeks ago", timedelta(weeks=2)),
        ("0 days ago", timedelta()),
    ],
)
def test_a_person_may_write_how_long_ago(text: str, past: timedelta) -> None:
    before = utcnow()
    assert before <= parse_instant(text) + past <= utcnow()
    assert parse_event_time(text) is None  # an event has to tell when it was


@pytest.mark.parametrize(
    "text", ["-1 days ago", "1.5 days ago", "3 months ago", "days ago", "٣ days ago", "1234567 days ago"]
)
def test_what_is_not_so_long_ago_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_instant(text)


def test_nothing_was_before_the_first_year() -> None:
    with pytest.raises(UsageError, match="known-at: “999999 weeks ago” lies before the first year"):
        parse_instant("999999 weeks ago", name="known-at")


def test_a_person_learns_how_to_write_a_time() -> None:
    with pytest.raises(
        UsageError, match=r"as-of: “soon” is no time\. Write it like 2026-03-31, .* or “30 days ago”\."
    ) as caught:
        parse_instant("soon", name="as-of")
    assert caught.value.exit_code == 2
