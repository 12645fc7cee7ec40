"""``meshline rejects``: what could not be read is listed, shown byte for byte, and can be tried again."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import pytest

from ingest.envelope import Refusal
from ingest.quarantine import Rejected, producer_of, put
from lineage.fingerprint import fingerprint
from lineage.store import Store
from lineage.store.store import migrations
from tests.ingest.build import loaded, run_event
from tests.ingest.cli import Cli

GOOD = run_event("r1", inputs=["a"], outputs=["b"])
OTHER = run_event("r2", inputs=["b"], outputs=["c"])
CUT = b'  {"eventTime": "2026-01-01T00:00:00Z", "producer": "https://x.org/\\"p", "run": {"\xc3\xa9\r'
NO_TIME = b'{"run": {"runId": "1"}, "job": {"namespace": "n", "name": "j"}}'


def id_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refused_by_an_older_version(db: Path, *events: bytes) -> None:
    """Events that this version reads, in the quarantine as if an older one had not."""
    with Store.open(db) as store, store.transaction() as cursor:
        rejected = [Rejected(data, Refusal("bad-time", "old"), line, "old.ndjson") for line, data in enumerate(events)]
        put(cursor, [*rejected, rejected[0]._replace(source="again.ndjson")], datetime(2026, 1, 1), "test")  # noqa: DTZ001


@pytest.fixture
def rejects(meshline: Cli) -> Cli:
    """Three inputs refused, one event accepted."""
    file = meshline.write("in.ndjson", b"\n".join([GOOD, CUT, NO_TIME, b""]))
    assert meshline("ingest", file)[0] == 0
    assert meshline("ingest", meshline.write("copy.ndjson", GOOD + b"\n" + NO_TIME))[0] == 0
    return meshline


def test_the_list_names_reason_place_and_producer(rejects: Cli) -> None:
    answer = rejects.json("rejects", "list")
    assert answer["reasons"] == {"no-time": 2, "not-json": 1}
    places = {(item["id"], item["reason"], Path(item["source"]).name, item["line"]) for item in answer["rejects"]}
    cut = CUT + b"\n"
    assert places == {
        (id_of(cut), "not-json", "in.ndjson", 2),
        (id_of(NO_TIME + b"\n"), "no-time", "in.ndjson", 3),
        (id_of(NO_TIME), "no-time", "copy.ndjson", 2),
    }
    producers = {item["reason"]: item["producer"] for item in answer["rejects"]}
    assert producers == {"not-json": 'https://x.org/"p', "no-time": None}


def test_the_list_for_people_is_cut_and_says_so(rejects: Cli) -> None:
    code, out, _ = rejects("rejects", "list", "--limit", "1", "--reason", "no-time")
    text = out.decode()
    assert code == 0
    assert "2 refused: no-time 2" in text
    assert "1 more" in text
    assert "not-json" not in text


def test_show_gives_the_original_bytes_back(rejects: Cli) -> None:
    code, out, err = rejects("rejects", "show", id_of(CUT + b"\n")[:9])
    assert (code, out) == (0, CUT + b"\n")
    assert "in.ndjson:2" in err
    assert rejects.json("rejects", "show", id_of(NO_TIME))["body"] == NO_TIME.decode()


def test_bytes_that_are_no_text_are_shown_too(meshline: Cli) -> None:
    data = b'{"job": {"name": "\xff"}, "eventTime": "2026-01-01T00:00:00Z"}'
    meshline("ingest", meshline.write("a.json", data))
    assert meshline("rejects", "show", id_of(data))[1] == data
    assert "body_base64" in meshline.json("rejects", "show", id_of(data))


def test_secrets_of_a_refused_input_are_masked_unless_its_bytes_are_asked_for(meshline: Cli) -> None:
    cut, whole = b'{"run": {}, "url": "postgres://ada:s3cret@db/shop"', b'{"run": {"token": "s3cret", "n": 1}}'
    no_text = b'{"run": {"name": "\xff", "token": "s3cret"}}'
    for data in (cut, whole, no_text):
        meshline("ingest", meshline.write("a.json", data))
        code, out, err = meshline("rejects", "show", id_of(data))
        assert (code, b"s3cret" in out, b"***" in out) == (0, False, True)
        assert "--raw" in err
        assert meshline.json("rejects", "show", id_of(data))["masked"] is True
        assert meshline("rejects", "show", id_of(data), "--raw")[1] == data


def test_a_database_of_the_first_format_keeps_its_refused_inputs(
    meshline: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = migrations()
    monkeypatch.setattr("lineage.store.store.migrations", lambda: {1: steps[1]})
    with Store.open(meshline.db) as store, store.transaction() as cursor:
        cursor.execute("INSERT INTO quarantine (hash, source, reason, body) VALUES ('a', 'old', 'no-time', 'b')")
    monkeypatch.undo()
    with Store.open(meshline.db):  # upgrades
        pass
    (item,) = meshline.json("rejects", "list")["rejects"]
    assert (item["source"], item["producer"]) == ("old", None)


@pytest.mark.parametrize("wanted", ["", "zz", "abcdef012345"])
def test_an_unknown_id_is_an_error(rejects: Cli, wanted: str) -> None:
    code, _, err = rejects("rejects", "show", wanted)
    assert code == 2
    assert "No refused input" in err


def test_an_id_that_several_share_lists_them(meshline: Cli) -> None:
    inputs = [b'{"run": {"runId": "%d"}, "job": {"name": "x"}}' % n for n in range(20)]
    meshline("ingest", meshline.write("a.ndjson", b"\n".join([GOOD, *inputs])))
    heads = [row["id"] for row in meshline.json("rejects", "list")["rejects"]]
    shared = next(head[0] for head in heads if sum(other[0] == head[0] for other in heads) > 1)
    code, _, err = meshline("rejects", "show", shared)
    assert code == 2
    assert all(head in err for head in heads if head[0] == shared)


def test_replay_takes_what_can_be_read_now_and_marks_it(meshline: Cli) -> None:
    refused_by_an_older_version(meshline.db, GOOD, OTHER)
    answer = meshline.json("rejects", "replay", "--all")
    assert answer == {"read": 2, "accepted": 2, "duplicates": 0, "still_refused": {}}
    assert meshline.json("rejects", "list") == {"total": 0, "reasons": {}, "rejects": []}
    assert meshline.json("rejects", "list", "--replayed")["total"] == 3
    assert meshline.json("rejects", "replay", "--all")["read"] == 0
    with Store.open(meshline.db) as store:
        assert fingerprint(store) == fingerprint(loaded(GOOD, OTHER))


def test_replay_of_one_id_leaves_the_others(meshline: Cli) -> None:
    refused_by_an_older_version(meshline.db, GOOD, OTHER)
    assert meshline.json("rejects", "replay", id_of(OTHER)[:10])["accepted"] == 1
    assert {row["id"] for row in meshline.json("rejects", "list")["rejects"]} == {id_of(GOOD)}


def test_replay_counts_what_came_by_another_way_meanwhile(meshline: Cli) -> None:
    refused_by_an_older_version(meshline.db, GOOD)
    meshline("ingest", meshline.write("a.json", GOOD))
    assert meshline.json("rejects", "replay", "--reason", "bad-time")["duplicates"] == 1
    assert meshline.json("rejects", "list")["total"] == 0


def test_replay_of_what_still_cannot_be_read_fails_and_keeps_it(rejects: Cli) -> None:
    before = rejects.json("rejects", "list")
    code, out, err = rejects("rejects", "replay", "--reason", "no-time")
    assert code == 1
    assert b"2 still refused" in out
    assert "rejects show" in err
    assert rejects.json("rejects", "list") == before


@pytest.mark.parametrize("words", [(), ("--all", "--reason", "no-time"), ("abc", "--all")])
def test_replay_wants_exactly_one_choice(rejects: Cli, words: tuple[str, ...]) -> None:
    assert rejects("rejects", "replay", *words)[0] == 2


def test_a_producer_is_found_as_far_as_the_bytes_tell() -> None:
    assert producer_of(b'{"producer" : "p\\u00e9", "x') == "pé"
    assert producer_of(b'{"producer": "never closed') is None
    assert producer_of(b'{"producer": "bad \\q escape"}') is None
