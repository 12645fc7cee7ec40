"""Seeded mutations of YAML documents, as people's mistakes make them."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineage.yamlfile import DeclaredFile, parse_declared, place_text

PLACE = re.compile(r"c\.yaml:(\d+): (.*)", re.DOTALL)

JUNK = (
    "",
    "null",
    "[]",
    "{}",
    "1.10",
    "2022-08-02",
    "yes",
    "'",
    "\t",
    "*x",
    "!!python/object:os.x {}",
    "é",
    "~",
    ".inf",
)


@dataclass
class Outcomes:
    """Mutations by what came of them; ``unplaced`` are messages without file, line and (where there is one) path."""

    accepted: int = 0
    refused: int = 0
    with_path: int = 0
    unplaced: tuple[str, ...] = ()


def mutate(rng: random.Random, text: str) -> str:
    """One document with one to three lines lost, doubled, misspelt, moved or filled with something else."""
    lines = text.splitlines()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines)) if lines else 0
        match rng.randrange(6):
            case 0 if lines:
                del lines[at]
            case 1 if lines:
                lines.insert(at, lines[at])
            case 2 if lines and ":" in lines[at]:
                head, _, _ = lines[at].partition(":")
                lines[at] = f"{head}: {rng.choice(JUNK)}"
            case 3 if lines and len(lines[at]) > 3:
                k = rng.randrange(len(lines[at]))
                lines[at] = lines[at][:k] + lines[at][k + 1 :]
            case 4 if lines:
                lines[at] = rng.choice(("  ", "    ", "")) + lines[at].lstrip()
            case _ if lines:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines) + "\n"


def outcomes(paths: Sequence[Path], count: int, seed: int = 5) -> Outcomes:
    """What comes of some mutations of some files."""
    from lineage.contracts.files import CONTRACTS

    rng = random.Random(seed)
    texts = [text for path in paths if len(text := path.read_text(encoding="utf-8")) < 12_000]
    found = Outcomes()
    for _ in range(count):
        text = mutate(rng, rng.choice(texts))
        file, problems = parse_declared(text, "c.yaml")
        item, problems = CONTRACTS.read(file) if file is not None else (None, problems)
        found.accepted += item is not None
        found.refused += item is None
        places = _lines(file)
        for problem in problems if item is None else ["accepted with a problem"] * len(problems):
            placed, path = _placed(problem, text, file, places)
            found.with_path += path
            found.unplaced += () if placed else (problem,)
        found.unplaced += ("refused without a word",) if item is None and not problems else ()
    return found


def _lines(file: DeclaredFile | None) -> Mapping[str, int]:
    return {} if file is None else {place_text(place): line for place, line in file.lines.items()}


def _placed(problem: str, text: str, file: DeclaredFile | None, lines: Mapping[str, int]) -> tuple[bool, bool]:
    """Whether a message names file, line and path as it has to, and whether it names a path.

    A document that YAML cannot read has no paths, one that is no mapping has none but itself; in all others the path
    leads to something in that line, or to something missing from what begins there.
    """
    match = PLACE.match(problem)
    if match is None or not 1 <= int(match[1]) <= len(text.splitlines()) + 1:
        return False, False
    path, told, what = match[2].partition(": ")
    if file is None:
        return True, bool(told) and ("stands twice" in what or "unfolds" in what)
    if not isinstance(file.value, dict):
        return match[2] == "must be a mapping", False
    if match[2].endswith("more problems by the schema"):
        return True, False
    holder = re.sub(r"(^|\.)[^.]*$", "", path) if what.startswith("is missing") and path not in lines else path
    return bool(told) and lines.get(holder) == int(match[1]), True
