"""Seeded mutations of YAML documents, as people's mistakes make them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

PLACE = re.compile(r"c\.yaml:\d+: ")

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


def outcomes(paths: Sequence[Path], count: int, seed: int = 5) -> tuple[int, int, int]:
    """How many mutations of some files are accepted, how many refused, and how many refusals lack file and line."""
    from lineage.contracts.files import check_text

    rng = random.Random(seed)
    texts = [text for path in paths if len(text := path.read_text(encoding="utf-8")) < 12_000]
    accepted = refused = unplaced = 0
    for _ in range(count):
        item, problems = check_text(mutate(rng, rng.choice(texts)), "c.yaml")
        accepted += item is not None
        refused += item is None
        unplaced += (item is None) != bool(problems) or not all(PLACE.match(line) for line in problems)
    return accepted, refused, unplaced
