"""The page of supported facets is what the registry says, and the registry knows the whole standard."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.facets import REGISTRY
from ingest.facets.support import page


def test_the_page_of_supported_facets_is_written_from_the_registry(repo: Path) -> None:
    assert (repo / "docs/openlineage-support.md").read_text("utf-8") == page()


def test_every_facet_of_the_standard_has_an_entry() -> None:
    """The generated classes of the client are the inventory of the standard."""
    client = pytest.importorskip("openlineage.client.generated", reason="openlineage-python is not installed")
    folder = Path(next(iter(client.__path__)))
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__", "base", "open_lineage"}
    assert len(modules) > 30
    known = {facet.key.lower().replace("_", "") for facet in REGISTRY}
    other_names = {"base_subset": "subset", "dataset_version": "version"}
    missing = set()
    for module in modules:
        name = module
        for suffix in ("_input_dataset", "_output_dataset", "_dataset", "_run", "_job"):
            name = name.removesuffix(suffix)
        if other_names.get(name, name).replace("_", "") not in known:
            missing.add(module)
    assert missing == set()


def test_no_facet_is_listed_twice() -> None:
    keys = [(facet.entity, facet.key) for facet in REGISTRY]
    assert len(keys) == len(set(keys))
