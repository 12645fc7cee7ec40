"""Seeded mutations of YAML documents, as people's mistakes make them."""

from __future__ import annotations

import random

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
