"""Secrets: masked wherever they are shown, and before storage when that is wanted (semantics 24)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import lineage.redact
from ingest.altered import NOTE, switch
from ingest.archive import unpack
from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.fingerprint import fingerprint
from lineage.redact import redact, redact_facet
from lineage.store import Store
from tests.ingest.build import empty_store, run_event
from tests.ingest.cli import Cli

SECRET = "postgres://ada:s3cret@db/shop"
FACET: dict[str, Any] = {"my_own": {"url": SECRET, "token": "s3cret"}}

PIECES = (
    "select", "Password", "passwd=x", "pwd:", "'s3'", '"s3"', "my_TOKEN =>", "api-key", "AccessKeyId=",
    "--secret", "=", "x",
    "aws_key", "account-key='a'", "Private_Key", "credentials", "Authorization:", "connection-string=",
    "identified by",
    "postgres://ada:s3cret@db", "AKIA0123456789ABCDEF", "ghp_012345678901234567890", "xoxb-0123456789",
    "eyJhbGciOiJ.e.x",
    "AIza0123456789012345678901234567890", "Bearer 0123456789", "?sig=abc", ";", "&", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


def stored(store: Store) -> list[bytes]:
    return [event for (body,) in store.rows("SELECT body FROM raw ORDER BY block") for event in unpack(body)]


def masking() -> Store:
    store = empty_store()
    switch(store, True, "ann")
    return store


def test_the_archive_never_holds_the_secret_and_the_event_keeps_the_hash_it_came_with() -> None:
    plain, event = run_event("r2", inputs=["a"]), run_event("r1", outputs=[("a", FACET)])
    with masking() as store, empty_store() as exact:
        for target in (store, exact):
            Writer(target).ingest([event, plain, b"{broken " + SECRET.encode()], source="test")
        assert b"s3cret" not in b"".join(stored(store)) and stored(store)[1] == plain
        assert store.rows("SELECT hash FROM event ORDER BY hash") == exact.rows("SELECT hash FROM event ORDER BY hash")
        assert Writer(store).ingest([event, plain], source="again").duplicates == 2
        assert store.rows("SELECT notes LIKE ? FROM event ORDER BY notes", [f"%{NOTE}%"]) == [(True,), (None,)]
        assert store.rows("SELECT actor FROM audit WHERE action = 'redact.archive'") == [("ann",)]
        for table in ("edge", "run", "run_io", "facet", "node"):
            count = f"SELECT count(*) FROM {table}"
            assert store.rows(count) == exact.rows(count)


def test_an_altered_event_is_rebuilt_under_its_hash_and_joins_its_run() -> None:
    with masking() as store:
        Writer(store).ingest([run_event(kind="START", outputs=[("a", FACET)])], source="test")
        Writer(store).ingest([run_event(at="2026-01-01T01:00:00Z", outputs=[("a", FACET)])], source="test")
        assert store.rows("SELECT events FROM run WHERE known_to = '9999-12-31'") == [(2,)]
        with empty_store() as fresh:
            rebuild(store, fresh)
            assert fingerprint(fresh) == fingerprint(store)


def test_what_a_failed_test_quotes_is_masked() -> None:
    test = {"assertion": "is_url", "column": "x", "success": False, "expected": "https://", "actual": SECRET}
    with empty_store() as store:
        facets = {"inputFacets": {"dataQualityAssertions": {"assertions": [test]}}}
        Writer(store).ingest([run_event(inputs=[("a", facets)])], source="test")
        assert store.rows("SELECT expected, actual FROM assertion") == [("https://", "postgres://ada:***@db/shop")]


def test_a_message_that_quotes_a_secret_without_quotes_is_masked() -> None:
    error = {"errorMessage": {"message": "login failed: user=ada password=s3cret", "programmingLanguage": "PYTHON"}}
    settings = {
        "spark_properties": {"properties": {"spark.hadoop.fs.s3a.secret.key": "s3cret", "spark.app.name": "load"}}
    }
    with empty_store() as store:
        Writer(store).ingest([run_event(kind="FAIL", run_facets=error, job_facets=settings)], source="test")
        assert store.rows("SELECT error FROM run") == [("login failed: user=ada password=***",)]
        ((text,),) = store.rows("SELECT json FROM facet JOIN facet_body USING (body) WHERE key = 'spark_properties'")
        assert "s3cret" not in text and "load" in text


def test_a_comparison_in_sql_is_no_secret() -> None:
    text = "select a.token from a join b on a.token=b.token where a.password=b.hash"
    assert redact(text) == text


def test_the_command_switches_it(meshline: Cli) -> None:
    assert b"redact.archive: on" in meshline("redact", "--archive", "on")[1]
    meshline("ingest", meshline.write("events.ndjson", run_event(outputs=[("a", FACET)]) + b"\n"))
    assert b"s3cret" not in meshline("export", "--raw")[1]
    assert b"redact.archive: off" in meshline("redact", "--archive", "off")[1]
    assert b"redact.archive: off" in meshline("redact")[1]


@given(st.lists(st.sampled_from(PIECES), max_size=7))
def test_looking_for_signs_first_overlooks_no_secret(pieces: list[str]) -> None:
    text = whole = " ".join(pieces)
    for pattern, replacement in lineage.redact._RULES:
        whole = pattern.sub(replacement, whole)
    if not lineage.redact._SQL.search(whole):
        whole = lineage.redact._PLAIN.sub(r"\1***", whole)
    assert redact(text) == whole


def test_escapes_of_json_hide_no_secret() -> None:
    for body in (r'{"url": "postgres:\/\/ada:s3cret@db"}', r'{"pass\u0077ord": "s3cret"}'):
        assert "s3cret" not in redact_facet(body)
