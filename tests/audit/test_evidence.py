"""Evidence packs: complete, provable without Meshline, and nothing in them can be altered unnoticed."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import lineage
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.audit.pack.build import Pack, verifier
from lineage.audit.pack.differences import PackError, diff_packs
from lineage.audit.questions import AuditRefusedError
from lineage.audit.signing import SigningKey
from lineage.declared import apply
from lineage.store import Store

REPORT = "dataset:bi:report"


def run_event(run: str, day: int, kind: str, job: str, reads: list[str], writes: list[str]) -> bytes:
    told: dict[str, Any] = {
        "eventType": kind,
        "eventTime": f"2026-04-{day:02}T0{(1 if job == 'load' else 3) + (kind == 'COMPLETE')}:00:00Z",
        "producer": "https://example.org/<b>producer</b>",
        "run": {"runId": run},
        "job": {
            "namespace": "etl",
            "name": job,
            "facets": {"sql": {"query": f"select {day} -- <script>", "_producer": "p", "_schemaURL": "s"}},
        },
        "inputs": [dict(zip(("namespace", "name"), text.split(":"), strict=True)) for text in reads],
        "outputs": [dict(zip(("namespace", "name"), text.split(":"), strict=True)) for text in writes],
    }
    return json.dumps(told).encode()


def company(store: Store, folder: Path) -> None:
    """Two days of raw → mart → report, and a domain file."""
    for day in (1, 2):
        chain = [("load", ["shop:raw"], ["dwh:mart"]), ("export", ["dwh:mart"], ["bi:report"])]
        events = [
            run_event(f"0189000{day}-0000-7000-8000-00000000000{step}", day, kind, job, reads, writes)
            for step, (job, reads, writes) in enumerate(chain)
            for kind in ("START", "COMPLETE")
        ]
        Writer(store).ingest(events, source=f"day {day}")
    (folder / "domains").mkdir(parents=True)
    (folder / "domains" / "finance.yaml").write_text("name: finance\nowner: money\npatterns: ['report']\n")
    apply(store, folder, at=datetime(2026, 3, 1))  # noqa: DTZ001 - naive UTC like all stored times


@pytest.fixture
def key() -> SigningKey:
    return SigningKey(bytes(range(32)))


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pack]:
    key = SigningKey(bytes(range(32)))
    with Store.open(":memory:") as store:
        company(store, tmp_path_factory.mktemp("company") / "tree")
        audit = lineage.open(store).audit
        auditor = Actor("auditor")
        return {
            "second": audit.evidence(REPORT, key, as_of="2026-04-03", actor=auditor),
            "first": audit.evidence(REPORT, key, as_of="2026-04-01T12:00:00Z", actor=auditor),
            "hashes": audit.evidence(REPORT, key, as_of="2026-04-03", raw_events=False, actor=auditor),
            "column": audit.evidence("dataset:shop:raw", key, actor=auditor),
        }


def members(pack: Pack) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack.data)) as found:
        return {name: found.read(name) for name in found.namelist()}


def repacked(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def check(path: Path, *options: str, program: Path | None = None) -> tuple[int, str]:
    """The verifier as an outsider runs it: a bare interpreter that sees no installed package."""
    told = [str(program)] if program else ["-c", verifier().decode()]
    done = subprocess.run(
        [sys.executable, "-I", "-S", *told, str(path), *options], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_a_pack_verifies_offline_with_the_program_it_brings(packs: dict[str, Pack], tmp_path: Path) -> None:
    files = members(packs["second"])
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    (tmp_path / "pack.zip").write_bytes(packs["second"].data)
    code, said = check(tmp_path / "pack.zip", program=tmp_path / "verify.py")
    assert code == 0, said
    assert "integrity only, signer not verified" in said
    assert "stated gap: dataset:shop:raw: no job was ever seen writing it" in said


def test_only_the_named_key_is_trusted(packs: dict[str, Pack], tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(packs["second"].data)
    assert check(tmp_path / "pack.zip", "--key", packs["second"].key)[0] == 0
    code, said = check(tmp_path / "pack.zip", "--key", "00" * 32)
    assert code == 1 and "not by the trusted one" in said


def test_one_flipped_byte_in_any_member_is_found_and_named(packs: dict[str, Pack], tmp_path: Path) -> None:
    files = members(packs["second"])
    code = verifier().decode() + "\n"  # one process for all members: starting an interpreter costs the most
    paths = []
    for number, (name, data) in enumerate(files.items()):
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        paths.append((name, repacked({**files, name: bytes(flipped)}, tmp_path / f"{number}.zip")))
    scope: dict[str, Any] = {"__name__": "verifier"}
    exec(compile(code, "verify.py", "exec"), scope)
    for name, path in paths:
        problems, _, _ = scope["verify"](str(path))
        found = [problem for problem in problems if name in problem]
        assert found, (name, problems)


def test_a_member_taken_out_or_put_in_is_named(packs: dict[str, Pack], tmp_path: Path) -> None:
    files = members(packs["second"])
    event = next(name for name in files if name.startswith("events/"))
    less = {name: data for name, data in files.items() if name != event}
    code, said = check(repacked(less, tmp_path / "less.zip"))
    assert code == 1 and f"{event}: is missing" in said
    code, said = check(repacked({**files, "extra.txt": b"x"}, tmp_path / "more.zip"))
    assert code == 1 and "extra.txt: is not in the manifest" in said


def test_bytes_that_belong_to_no_member_are_told_of(packs: dict[str, Pack], tmp_path: Path) -> None:
    good, (first, *others) = packs["second"].data, members(packs["second"]).items()
    second = good.index(b"PK\x03\x04", 4)  # a member that the list of members does not name lies before it
    listed, end = good.index(b"PK\x01\x02"), good.index(b"PK\x05\x06")
    gap = bytearray(good[:second] + b"gap!" + good[second:])
    with zipfile.ZipFile(noted := tmp_path / "noted.zip", "w") as out:
        out.comment = b"a note"
        out.writestr(*first)
        for one in others:
            out.writestr(*one)
    (tmp_path / "listed.zip").write_bytes(good[:listed] + b"between" + good[listed:])
    (tmp_path / "end.zip").write_bytes(good[:end] + b"between" + good[end:])
    (tmp_path / "gap.zip").write_bytes(bytes(gap))
    (tmp_path / "before.zip").write_bytes(b"before" + good)
    (tmp_path / "after.zip").write_bytes(good + b"trailing")
    (tmp_path / "zeros.zip").write_bytes(good + bytes(76))
    for name in ("listed", "end", "gap", "before", "after", "zeros", noted.stem):
        assert check(tmp_path / f"{name}.zip")[0] == 1, name
    for name in ("before", "after", "zeros", noted.stem):
        assert "bytes that belong to no member" in check(tmp_path / f"{name}.zip")[1], name


def test_a_pack_signed_anew_with_a_forged_event_is_not_vouched_for_by_the_log(
    packs: dict[str, Pack], tmp_path: Path, key: SigningKey
) -> None:
    import hashlib

    files = members(packs["second"])
    event = next(name for name in files if name.startswith("events/"))
    files[event] = files[event].replace(b"raw", b"row")
    manifest = json.loads(files["manifest.json"])
    for member in manifest["members"]:
        if member["name"] == event:
            member["sha256"] = hashlib.sha256(files[event]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()
    signature = {"public_key": key.public.hex(), "signature": key.sign(files["manifest.json"]).hex()}
    files["manifest.sig"] = json.dumps(signature).encode()
    code, said = check(repacked(files, tmp_path / "forged.zip"))
    assert code == 1 and f"{event}: is not the event that the log vouches for" in said


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_pack_is_said_to_be_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    code, said = check(tmp_path / "x.zip")
    assert code in (1, 2) and said


def test_a_pack_holds_every_event_behind_the_runs_byte_for_byte(packs: dict[str, Pack]) -> None:
    files = members(packs["second"])
    told = [json.loads(data) for name, data in files.items() if name.startswith("events/")]
    assert sorted((event["job"]["name"], event["eventType"]) for event in told) == [
        ("export", "COMPLETE"), ("export", "START"), ("load", "COMPLETE"), ("load", "START"),
    ]  # fmt: skip
    assert {event["eventTime"][:10] for event in told} == {"2026-04-02"}
    assert files["declared/domains/finance.yaml"].startswith(b"name: finance")
    assert packs["second"].events == 4


def test_without_events_their_hashes_still_prove_them(packs: dict[str, Pack], tmp_path: Path) -> None:
    files = members(packs["hashes"])
    assert not any(name.startswith("events/") for name in files)
    assert len(json.loads(files["proofs.json"])["events"]) == 4
    (tmp_path / "hashes.zip").write_bytes(packs["hashes"].data)
    assert check(tmp_path / "hashes.zip")[0] == 0


def test_the_provenance_is_prov_json_that_other_programs_read(packs: dict[str, Pack]) -> None:
    prov = importlib.import_module("prov.model")
    document = prov.ProvDocument.deserialize(
        content=members(packs["second"])["lineage.prov.json"].decode(), format="json"
    )
    kinds = [type(record).__name__ for record in document.get_records()]
    assert kinds.count("ProvActivity") == 2
    assert kinds.count("ProvGeneration") == 2
    assert kinds.count("ProvDerivation") == 2
    labels = {str(value) for record in document.get_records() for _, value in record.attributes}
    assert REPORT in labels and "dataset:shop:raw" in labels


def test_the_report_escapes_what_producers_say(packs: dict[str, Pack]) -> None:
    page = members(packs["second"])["report.html"].decode()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert REPORT in page and "no job was ever seen writing it" in page


def test_two_dates_differ_in_runs_and_code(packs: dict[str, Pack], tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.zip").write_bytes(packs[name].data)
    found = diff_packs(tmp_path / "first.zip", tmp_path / "second.zip")
    assert {(change.what, change.subject) for change in found.changes} == {
        ("run", REPORT), ("run", "dataset:dwh:mart"), ("code", "job:etl:load"), ("code", "job:etl:export"),
    }  # fmt: skip
    assert not diff_packs(tmp_path / "first.zip", tmp_path / "first.zip").changes
    (tmp_path / "x.zip").write_bytes(b"x")
    with pytest.raises(PackError, match="no evidence pack"):
        diff_packs(tmp_path / "x.zip", tmp_path / "first.zip")


def test_a_source_without_a_writer_gives_a_pack_that_says_so(packs: dict[str, Pack]) -> None:
    assert "no job was ever seen writing it" in " ".join(packs["column"].gaps)


def test_only_who_may_see_everything_gets_a_pack(key: SigningKey) -> None:
    with Store.open(":memory:") as store, pytest.raises(AuditRefusedError):
        lineage.open(store).audit.evidence(REPORT, key, actor=Actor("eve", frozenset({"finance"})))


def test_a_pack_is_an_act_of_the_log(tmp_path: Path, key: SigningKey) -> None:
    with Store.open(":memory:") as store:
        company(store, tmp_path / "tree")
        audit = lineage.open(store).audit
        audit.evidence(REPORT, key, actor=Actor("auditor"))
        (act,) = audit.log(action="evidence.export").acts
        assert (act.actor, act.resource) == ("auditor", REPORT)
        assert audit.verify(trusted=key.fingerprint).intact


def test_a_pack_tells_what_policies_said_of_its_assets_then(tmp_path: Path, key: SigningKey) -> None:
    with Store.open(":memory:") as store:
        company(store, tmp_path / "tree")
        lx = lineage.open(store)
        before = lx.audit.evidence(REPORT, key)
        lx.policies.record("owner-present", actor=Actor("ann"))
        after = lx.audit.evidence(REPORT, key)
        then = lx.audit.evidence(REPORT, key, as_of="2026-04-03")
    told = json.loads(members(after)["policies.json"])
    assert {(one["policy"], one["subject"], one["result"]) for one in told["results"]} == {
        ("owner-present", asset, "violation")
        for asset in (REPORT, "dataset:dwh:mart", "dataset:shop:raw", "job:etl:export", "job:etl:load")
    }
    assert [(one["subject"], one["state"]) for one in told["violations"] if one["subject"] == REPORT] == [
        (REPORT, "open")
    ]
    assert [(one["policy"], one["error"]) for one in told["runs"]] == [("owner-present", None)]
    assert "Policies at that time" in members(after)["report.html"].decode()
    assert json.loads(members(then)["policies.json"]) == {"results": [], "violations": [], "runs": []}

    paths = {"before": tmp_path / "before.zip", "after": tmp_path / "after.zip"}
    paths["before"].write_bytes(before.data)
    paths["after"].write_bytes(after.data)
    changed = [one for one in diff_packs(paths["before"], paths["after"]).changes if one.what == "policy"]
    assert (f"owner-present on {REPORT}", None, "violation") in [(c.subject, c.before, c.after) for c in changed]
    earlier = {name: data for name, data in members(before).items() if name != "policies.json"}  # of an earlier version
    old = diff_packs(repacked(earlier, tmp_path / "old.zip"), paths["after"])
    assert not [one for one in old.changes if one.what == "policy"]


def test_a_member_nested_without_end_is_named(packs: dict[str, Pack], tmp_path: Path) -> None:
    deep = {**members(packs["first"]), "proofs.json": b"[" * 100_000}
    code, said = check(repacked(deep, tmp_path / "deep.zip"))
    assert code == 1 and "proofs.json: was altered" in said
