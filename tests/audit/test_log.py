"""The audit log: what is in it stays as it was, and everything else shows."""

from __future__ import annotations

import json
import random
import string
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.audit import Entry, record, record_all
from lineage.audit import log as log_module
from lineage.audit import tree as tree_module
from lineage.audit import verify as verify_module
from lineage.audit.batches import batch_root, log_batches
from lineage.audit.checkpoint import CheckpointError, read_checkpoint, signed_by
from lineage.audit.log import canonical, leaf_bytes
from lineage.audit.merkle import root_from_inclusion
from lineage.audit.questions import AuditRefusedError
from lineage.audit.signing import SigningError, SigningKey, signing_key
from lineage.audit.tree import TILE, Tree
from lineage.cli import run
from lineage.errors import UsageError
from lineage.store import Store

MOMENT = datetime(2026, 4, 1, 12)  # noqa: DTZ001 - naive UTC like all stored times
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def entries(count: int) -> list[Entry]:
    return [Entry("ann", "alias.add", f"dataset:pg:t{number}", {"number": number}) for number in range(count)]


def event(number: int) -> bytes:
    told = {
        "eventType": "COMPLETE",
        "eventTime": f"2026-04-01T{number % 24:02}:00:00Z",
        "run": {"runId": f"01890000-0000-7000-8000-{number:012}"},
        "job": {"namespace": "n", "name": "j"},
        "inputs": [{"namespace": "n", "name": "a"}],
        "outputs": [{"namespace": "n", "name": f"b{number}"}],
        "producer": "https://example.org",
    }
    return json.dumps(told).encode()


@pytest.fixture
def store() -> Store:
    return Store.open(":memory:")


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, TEXTS, st.integers(0, 2**53 - 1), st.datetimes())
def test_a_leaf_is_the_canonical_json_of_its_act(who: str, what: str, where: str, seq: int, at: datetime) -> None:
    fields = {
        "seq": seq,
        "at": at.isoformat(timespec="microseconds") + "Z",
        "actor": who,
        "action": what,
        "resource": where,
        "outcome": "done",
        "payload": "{}",
    }
    assert leaf_bytes(seq, at, who, what, where, "done", "{}") == canonical(fields).encode()


PLAIN = st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text()


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), st.recursive(PLAIN, lambda v: st.lists(v) | st.dictionaries(st.text(), v))))
def test_canonical_text_is_what_any_json_library_writes_sorted(value: dict[str, object]) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("value", [{"a": 1.5}, {"a": 2**53}, {"a": {1: 2}}, {"a": [b"x"]}, {"a": MOMENT}])
def test_what_is_not_the_same_everywhere_cannot_be_logged(value: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"payload\.a"):
        canonical(value)


@pytest.mark.parametrize("sizes", [[1] * 5, [TILE], [TILE - 1, 1, 1], [3 * TILE + 5, 7], [10, TILE, TILE, 2]])
def test_however_acts_arrive_the_log_verifies_and_every_act_proves_to_be_in_it(store: Store, sizes: list[int]) -> None:
    for size in sizes:
        with store.transaction() as cursor:
            record_all(cursor, entries(size), at=MOMENT)
    lx = lineage.open(store)
    found = lx.audit.verify()
    assert (found.problems, found.acts) == ((), sum(sizes))
    for seq in {0, sizes[0] - 1, sum(sizes) - 1, sum(sizes) // 2}:
        proof = lx.audit.prove(seq)
        path = [bytes.fromhex(step) for step in proof.path]
        top = root_from_inclusion(bytes.fromhex(proof.leaf), seq, proof.size, path)
        assert top is not None and top.hex() == proof.root == found.root


def test_an_act_is_kept_only_with_what_it_did(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction() as cursor:
        record(cursor, actor="ann", action="alias.add", resource="x")
        raise RuntimeError
    assert lineage.open(store).audit.log().total == 0


def test_half_a_letter_in_the_name_of_a_file_does_not_stop_the_log(store: Store) -> None:
    with store.transaction() as cursor:
        record(cursor, actor="ann", action="domain.apply", resource="bad\udce9.yaml")
    assert lineage.open(store).audit.verify().intact


FORGERIES = {
    "UPDATE audit SET actor = 'bob' WHERE seq = 3": "Act 3 (alias.add on dataset:pg:t3): its content was edited.",
    "UPDATE audit SET acted_at = acted_at + INTERVAL 1 DAY WHERE seq = 3": "Act 3 (alias.add on dataset:pg:t3)",
    "UPDATE audit SET payload = '{}' WHERE seq = 3": "its content was edited",
    "DELETE FROM audit WHERE seq = 3": "Act 3 is missing",
    "DELETE FROM audit WHERE seq BETWEEN 3 AND 5": "Act 3 to 5 is missing",
    "INSERT INTO audit SELECT seq, acted_at, 'bob', action, resource, outcome, payload, leaf_hash, chain_hash "
    "FROM audit WHERE seq = 3": "Act 3 stands twice",
    "UPDATE audit SET seq = seq + 1 WHERE seq >= 3": "Act 3 is missing",
    "UPDATE audit SET actor = NULL, acted_at = NULL WHERE seq = 3": "Act 3 (alias.add on dataset:pg:t3): its content",
    "UPDATE audit SET leaf_hash = NULL, chain_hash = NULL WHERE seq = 3": "the chain breaks before it",
    "UPDATE audit SET payload = NULL WHERE seq = 3": "its content was edited",
    "INSERT INTO audit SELECT * REPLACE (NULL AS seq) FROM audit WHERE seq = 3": "1 acts have no number",
    "INSERT INTO audit_checkpoint VALUES (NULL, NULL, NULL, NULL, NULL, NULL)": "Checkpoint of 0 acts: its key",
}


@pytest.mark.parametrize(("forgery", "finding"), FORGERIES.items())
def test_a_row_edited_removed_or_put_in_by_hand_is_named(store: Store, forgery: str, finding: str) -> None:
    with store.transaction() as cursor:
        record_all(cursor, entries(10), at=MOMENT)
        cursor.execute(forgery)
    found = lineage.open(store).audit.verify()
    assert not found.intact
    assert any(finding in problem for problem in found.problems), found.problems


def test_an_act_that_is_hashed_anew_with_all_that_follow_shows_in_the_checkpoint(store: Store, key: SigningKey) -> None:
    with store.transaction() as cursor:
        record_all(cursor, entries(10), at=MOMENT)
    lx = lineage.open(store)
    note = lx.audit.checkpoint(key).note
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM audit")
        record_all(cursor, [Entry("bob", "alias.add", "forged")] * 10, at=MOMENT)
    assert lx.audit.verify().problems == ("Checkpoint of 10 acts: the log began differently when it was signed.",)
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM audit_checkpoint")
    lx.audit.checkpoint(key)
    assert lx.audit.verify().intact, "a log written anew as a whole agrees with itself …"
    assert not lx.audit.verify(notes=[note]).intact, "… but not with a checkpoint that was kept elsewhere"


def test_acts_cut_off_the_end_show_in_the_checkpoint(store: Store, key: SigningKey) -> None:
    with store.transaction() as cursor:
        record_all(cursor, entries(10), at=MOMENT)
    lx = lineage.open(store)
    lx.audit.checkpoint(key)
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM audit WHERE seq >= 8")
    assert "the log is shorter than that now" in lx.audit.verify().problems[0]


def test_a_checkpoint_is_signed_once_for_one_state_and_by_one_key(store: Store, key: SigningKey) -> None:
    lx = lineage.open(store)
    with store.transaction() as cursor:
        record_all(cursor, entries(3), at=MOMENT)
    first = lx.audit.checkpoint(key)
    assert lx.audit.checkpoint(key) == first
    assert signed_by(first.note, key.public) and not signed_by(first.note, SigningKey(bytes(32)).public)
    assert read_checkpoint(first.note)[:3] == ("meshline.audit", 3, first.root)
    assert lx.audit.verify(trusted=key.fingerprint).trusted is True
    other = lx.audit.verify(trusted=SigningKey(bytes(32)).fingerprint)
    assert other.trusted is False and not other.intact


def test_a_signature_for_another_size_does_not_fit(store: Store, key: SigningKey) -> None:
    lx = lineage.open(store)
    with store.transaction() as cursor:
        record_all(cursor, entries(3), at=MOMENT)
    note = lx.audit.checkpoint(key).note
    with store.transaction() as cursor:
        cursor.execute("UPDATE audit_checkpoint SET size = 2, note = ?", [note.replace("\n3\n", "\n2\n")])
    assert lx.audit.verify().problems == ("Checkpoint of 2 acts: its signature does not fit.",)


@pytest.mark.parametrize("text", ["", "meshline.audit\n3\n", "a\nb\nc\n\n— a b\n", "a\n1\nAAAA\n\n— a AAAA\n"])
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint(text)


def test_the_log_vouches_for_every_accepted_event(store: Store, key: SigningKey) -> None:
    events = [event(number) for number in range(600)]
    Writer(store).ingest(events, source="test")
    assert log_batches(store) == 3
    assert log_batches(store) == 0
    lx = lineage.open(store)
    acts = lx.audit.log(action="events").acts[::-1]
    assert [act.payload["root"] for act in acts] == [
        batch_root(events[start : start + 256]).hex() for start in (0, 256, 512)
    ]
    assert lx.audit.verify().batches == 3


def test_events_altered_removed_or_put_in_by_hand_show(store: Store) -> None:
    Writer(store).ingest([event(number) for number in range(600)], source="test")
    log_batches(store)
    lx = lineage.open(store)
    forgeries = {
        "UPDATE raw SET body = (SELECT body FROM raw WHERE block = 1) WHERE block = 2": "Block 2 is not what act 1",
        "DELETE FROM raw WHERE block = 1": "Block 1, accepted by act 0, is gone",
        "UPDATE raw SET body = 'x'::BLOB WHERE block = 3": "Block 3 cannot be read",
        "UPDATE raw SET body = NULL WHERE block = 3": "Block 3 cannot be read",
        "INSERT INTO raw SELECT * REPLACE ('x'::BLOB AS body) FROM raw WHERE block = 1": "Block 1 stands twice",
        "DELETE FROM audit WHERE resource = 'block 1'": "Block 1 of the archive is in no act",
    }
    for forgery, finding in forgeries.items():
        with store.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            cursor.execute(forgery)
            from lineage.audit.verify import verify

            problems = verify(cursor).problems
            cursor.execute("ROLLBACK")
        assert any(finding in problem for problem in problems), (forgery, problems)
    assert lx.audit.verify().intact


def test_the_log_is_found_by_actor_action_resource_and_time(store: Store) -> None:
    with store.transaction() as cursor:
        record(cursor, actor="ann", action="alias.add", resource="dataset:pg:a", at=MOMENT)
        record(cursor, actor="bob", action="alias.remove", resource="dataset:pg:b", outcome="refused")
        record(cursor, actor="ann", action="cost.import", resource="bill.csv", payload={"rows": 5})
    audit = lineage.open(store).audit
    assert [act.seq for act in audit.log().acts] == [2, 1, 0]
    assert [act.seq for act in audit.log(who="ann", action="alias").acts] == [0]
    assert [act.seq for act in audit.log(resource="bill").acts] == [2]
    assert [act.seq for act in audit.log(until="2026-04-02").acts] == [0]
    page = audit.log(limit=1)
    assert (page.total, page.partial, page.acts[0].payload) == (3, True, {"rows": 5})


def test_only_who_may_see_everything_reads_the_log(store: Store) -> None:
    masked = Actor("eve", frozenset({"finance"}))
    with pytest.raises(AuditRefusedError):
        lineage.open(store).audit.log(actor=masked)
    with pytest.raises(AuditRefusedError):
        lineage.open(store).audit.verify(actor=masked)


def test_a_proof_reads_stored_subtrees_and_agrees_with_reading_every_leaf(store: Store) -> None:
    with store.transaction() as cursor:
        record_all(cursor, entries(5 * TILE + 9), at=MOMENT)
    with store.reading() as cursor:
        tree, bare = Tree(cursor), Tree(cursor)
        bare._tile_roots = lambda first, end: []  # type: ignore[method-assign]
        for seq in random.Random(1).sample(range(tree.size), 20):
            assert tree.inclusion(seq) == bare.inclusion(seq)
        assert tree.root == bare.root


def test_the_key_lies_where_it_is_named_and_only_its_owner_reads_it(key: SigningKey, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "signing.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert signing_key() == key
    file.chmod(0o644)
    with pytest.raises(SigningError, match="chmod 600"):
        signing_key()
    file.chmod(0o600)
    file.write_text(string.ascii_letters)
    with pytest.raises(SigningError, match="no signing key"):
        signing_key()


def test_the_key_is_not_shown(key: SigningKey) -> None:
    assert key.seed.hex() not in repr(key) and key.fingerprint in repr(key)


def test_wide_subtrees_are_kept_used_and_checked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tree_module, log_module, verify_module):
        monkeypatch.setattr(module, "TILE", 4)
        monkeypatch.setattr(module, "WIDE", 16)
    for count in (7, 14, 3, 40):
        with store.transaction() as cursor:
            record_all(cursor, entries(count), at=MOMENT)
    with store.transaction() as cursor:
        assert cursor.execute("SELECT list(tile ORDER BY tile) FROM audit_wide_tile").fetchall() == [([0, 1, 2, 3],)]
        cursor.execute("DELETE FROM audit_wide_tile WHERE tile = 1")  # as a log of an earlier version has it
        for size in (64, 61, 48, 20, 3):
            tree, bare = Tree(cursor, size), Tree(cursor, size)
            bare._stored = lambda start, end: []  # type: ignore[method-assign]
            bare._tile_roots = lambda first, end: []  # type: ignore[method-assign]
            assert tree.root == bare.root
            assert all(tree.inclusion(seq) == bare.inclusion(seq) for seq in range(size))
            assert all(tree.consistency(old) == bare.consistency(old) for old in range(1, size + 1))
        record_all(cursor, entries(16), at=MOMENT)
        assert cursor.execute("SELECT count(*) FROM audit_wide_tile").fetchall() == [(5,)]
    assert lineage.open(store).audit.verify().intact
    with store.transaction() as cursor:
        cursor.execute("UPDATE audit_wide_tile SET hash = 'no' WHERE tile = 2")
    assert lineage.open(store).audit.verify().problems == ("The subtree over acts 32 to 47 does not fit them.",)


def test_a_key_that_signed_nothing_is_a_failure_of_the_command(
    tmp_path: Path, key: SigningKey, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "log.duckdb")
    with Store.open(tmp_path / "log.duckdb") as store, store.transaction() as cursor:
        record_all(cursor, entries(3), at=MOMENT)
    assert run(["audit", "verify", "--db", path]) == 0
    assert run(["audit", "verify", "--db", path, "--key", key.fingerprint]) == 1
    assert "Nothing is signed by" in capsys.readouterr().err
    with Store.open(tmp_path / "log.duckdb") as store:
        lineage.open(store).audit.checkpoint(key)
        with store.transaction() as cursor:
            record_all(cursor, entries(2), at=MOMENT)
    assert run(["audit", "verify", "--db", path, "--key", key.fingerprint]) == 0
    assert "The last 2 acts came after the last checkpoint." in capsys.readouterr().out
