"""Contract files: ``contracts/*.yaml``, one ODCS document each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineage.contracts.checks import check_contract, check_version
from lineage.contracts.model import read_contract, semver
from lineage.contracts.standard import check_schema
from lineage.yamlfile import Declared, DeclaredFile, parse_declared

if TYPE_CHECKING:
    from lineage.store import Store


class ContractFiles:
    """The kind of file that declares a contract."""

    folder = "contracts"
    table = "contract"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The contract in a file, and what is wrong with it.

        >>> CONTRACTS.read(parse_declared("version: 1.10\\n", "c.yaml")[0])[1][0]
        'c.yaml:1: version: 1.1 is a number here, and 1.10 would become 1.1; quote it: version: "1.1.0"'
        """
        problems, warnings = check(file)
        if problems:
            return None, problems
        found = read_contract(file.value)
        parts = semver(found.version) or (0, 0, 0)
        columns = {
            "id": found.id,
            "version": found.version,
            "status": found.status,
            "title": found.name or None,
            "domain": found.domain or None,
            "product": found.product or None,
            "standard": file.value["apiVersion"],
            "document": json.dumps(file.value, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        }
        return Declared(f"{found.id}@{parts[0]}", file, columns, warnings=tuple(warnings)), []

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that shows only here; see :mod:`lineage.contracts.together`."""
        return []


CONTRACTS = ContractFiles()


def check(file: DeclaredFile) -> tuple[list[str], list[str]]:
    """Problems and warnings of one contract: its official schema first, then what that does not catch."""
    early = check_version(file) if isinstance(file.value, dict) else []
    problems, warnings = check_schema("odcs", file)
    if early and not isinstance(file.value.get("version"), str):
        problems = [line for line in problems if ": version: " not in line]
    if problems or early:
        return [*early, *problems], warnings
    wrong, more = check_contract(file)
    return wrong, [*warnings, *more]


def check_text(text: str, shown: str) -> tuple[Declared | None, list[str]]:
    """A contract from text: the declared thing, or ``None`` and what is wrong."""
    file, problems = parse_declared(text, shown)
    return (None, problems) if file is None else CONTRACTS.read(file)
