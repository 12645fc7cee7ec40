"""Our classification beside that of datacontract-cli: the same but for what is listed here, each with its reason."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

import pytest

from lineage.contracts.changes import Severity, classify, worst
from lineage.contracts.model import read_contract
from tests.contracts.breaking_oracle import EDITS, digest_of, pair, text_of, verdict

RECORDED = json.loads((Path(__file__).parents[1] / "data/contracts/datacontract-cli-breaking.json").read_text())
SAME: dict[str, dict[str, Collection[Severity | None]]] = {
    "consumer": {
        "error": (Severity.breaking,),
        "warning": (Severity.risky,),
        "info": (Severity.safe, Severity.cosmetic, None),
    },
    # what a producer must now keep is RISKY with us: he owns the data and can look before he promises
    "producer": {
        "error": (Severity.breaking, Severity.risky),
        "warning": (Severity.risky,),
        "info": (Severity.safe, Severity.cosmetic, None),
    },
}
_MAY = "values that were not promised may come: a consumer is told, and lineage says whom it hurts"
_NOT_READ = "the tool grades only what its tests read"
JUSTIFIED = {
    ("enum grown", "consumer"): ("error", "RISKY", _MAY),
    ("enum gone", "consumer"): ("error", "RISKY", _MAY),
    ("fresh later", "consumer"): ("error", "RISKY", "later is no other data; BREAKING when the law asks for it"),
    ("length up", "consumer"): ("error", "RISKY", _MAY),
    ("maximum up", "consumer"): ("error", "RISKY", _MAY),
    ("maximum gone", "consumer"): ("error", "RISKY", _MAY),
    ("minimum down", "consumer"): ("error", "RISKY", _MAY),
    ("pattern gone", "consumer"): ("error", "RISKY", _MAY),
    ("type alias", "consumer"): ("error", "COSMETIC", "the tool compares letters; both names are one type"),
    ("type alias", "producer"): ("error", "COSMETIC", "the tool compares letters; both names are one type"),
    ("type narrower", "consumer"): ("error", "SAFE", "every value of the new type is one of the old"),
    ("type wider", "consumer"): ("error", "RISKY", "BREAKING as soon as lineage finds a narrower promise downstream"),
    ("type wider", "producer"): ("error", "SAFE", "every value of the old type is one of the new"),
    ("column added", "producer"): ("error", "SAFE", "the column may be empty; a required one is RISKY"),
    ("object added", "producer"): ("error", "SAFE", "the object may be empty"),
    ("warning rule gone", "consumer"): ("info", "RISKY", "a rule of severity warning is a promise too"),
    ("class higher", "consumer"): ("info", "RISKY", f"access may be lost; {_NOT_READ}"),
    ("role gone", "consumer"): ("info", "BREAKING", f"whoever has the role loses access; {_NOT_READ}"),
    ("latency", "producer"): ("info", "RISKY", f"a new promise to keep; {_NOT_READ}"),
}


def ours(seed: int) -> dict[str, Severity | None]:
    _, old, new = pair(seed)
    changes = classify(read_contract(old), read_contract(new))
    return {"consumer": worst(changes), "producer": worst(changes, producer=True)}


def test_the_pairs_are_those_that_were_judged() -> None:
    assert [row[1] for row in RECORDED["verdicts"]] == [digest_of(*pair(row[0])[1:]) for row in RECORDED["verdicts"]]
    seen = {name for row in RECORDED["verdicts"] for name in pair(row[0])[0]}
    assert seen == set(EDITS)


def test_every_disagreement_with_the_oracle_is_known_and_justified() -> None:
    used = set()
    for seed, _, *told in RECORDED["verdicts"]:
        names, found = pair(seed)[0], ours(seed)
        for view, tool in zip(("consumer", "producer"), told, strict=True):
            if found[view] in SAME[view][tool]:
                continue
            reasons = [(name, view) for name in names if (name, view) in JUSTIFIED]
            assert reasons, (seed, names, view, tool, found[view])
            if len(names) == 1:
                assert (tool, found[view]) == JUSTIFIED[reasons[0]][:2], (seed, names)
                used.add(reasons[0])
    assert used == set(JUSTIFIED)  # no excuse without its case


def test_a_single_edit_is_judged_as_recorded_by_the_tool_itself() -> None:
    rows = RECORDED["verdicts"][:: max(1, len(RECORDED["verdicts"]) // 40)]
    if importlib.util.find_spec("datacontract") is not None:
        for seed, _, consumer, producer in rows:
            _, old, new = pair(seed)
            assert verdict(old, new) == {"consumer": consumer, "producer": producer}, seed
    else:
        pytest.skip("datacontract-cli is not installed beside the tests")


def test_the_command_of_the_tool_says_what_was_recorded(tmp_path: Path) -> None:
    command = shutil.which("datacontract")
    if command is None:
        pytest.skip("datacontract is not on the PATH")
    for seed, _, consumer, _ in RECORDED["verdicts"][:2]:
        files = [tmp_path / f"{word}.yaml" for word in ("old", "new")]
        for file, value in zip(files, pair(seed)[1:], strict=True):
            file.write_text(text_of(value))
        done = subprocess.run([command, "breaking", *map(str, files)], capture_output=True, check=False)
        assert (done.returncode != 0) == (consumer == "error"), done.stdout
