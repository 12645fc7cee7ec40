"""Which domain a dataset or job belongs to, worked out from the domain files on their own terms.

The longest literal beginning wins; without a pattern the tag ``domain`` of the dataset decides; else "unassigned".
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache

import yaml

from sample_events.datasets import DATASETS
from sample_events.load import DOMAINS
from sample_events.model import Dataset

UNASSIGNED = "unassigned"


@cache
def patterns() -> tuple[tuple[str, str], ...]:
    """(pattern, domain), the most specific first."""
    found = []
    for path in sorted(DOMAINS.glob("*.yaml")):
        domain = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [(pattern, str(domain["name"])) for pattern in domain["patterns"]]
    return tuple(sorted(found, key=lambda pair: -len(_literal(pair[0]))))


def of(kind: str, namespace: str, name: str) -> str:
    """Domain of one dataset or job by pattern."""
    return next((domain for pattern, domain in patterns() if fits(pattern, kind, namespace, name)), UNASSIGNED)


def fits(pattern: str, kind: str, namespace: str, name: str) -> bool:
    """Whether a node falls under a pattern."""
    wanted, glob = _split(pattern)
    return wanted in ("", kind) and (fnmatchcase(name, glob) or fnmatchcase(f"{namespace}:{name}", glob))


def of_dataset(dataset: Dataset) -> str:
    """Domain of a dataset, by either of its names or by its tag."""
    names = [(dataset.namespace, dataset.name), *([dataset.table] if dataset.table else [])]
    found = {of("dataset", *name) for name in names} - {UNASSIGNED}
    return found.pop() if found else dataset.tags.get("domain", UNASSIGNED)


def census() -> dict[str, list[str]]:
    """Keys of the datasets of each domain."""
    found: dict[str, list[str]] = {}
    for key, dataset in DATASETS.items():
        found.setdefault(of_dataset(dataset), []).append(key)
    return dict(sorted(found.items()))


def _split(pattern: str) -> tuple[str, str]:
    match = re.fullmatch(r"(dataset|job):(.*)", pattern)
    return (match[1], match[2]) if match else ("", pattern)


def _literal(pattern: str) -> str:
    return re.split(r"[*?\[]", _split(pattern)[1])[0]
