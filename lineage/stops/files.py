"""Files that declare stops of tags: ``stops/*.yaml``.

.. code-block:: yaml

    id: s-newsletter-mail
    node: column:mailhub://eu1:lists/newsletter:email   # or a dataset: all its columns
    tag: pii:email                     # or a key (pii); without it every tag
    requester: ada
    approver: grace                    # never the requester
    reason: hashed by the mail hub, which does not say so
    valid_from: 2026-05-01             # without it: from when it is applied
    until: 2026-12-31                  # without it: no end
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from lineage.actor import same_person
from lineage.audit.log import wrong_reason
from lineage.identity import NodeKey, listed, splits
from lineage.policies.files import FieldReader
from lineage.propagation import matches
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.yamlfile import Declared, DeclaredFile

_NOW = OPEN_END - timedelta(microseconds=1)  # the known time of what is not closed
_THERE = "SELECT count(*) FROM node WHERE id IN (SELECT unnest($ids::UBIGINT[]))"
_NEAR = """
-- the node with the most similar text
SELECT text FROM (
  SELECT kind || ':' || namespace || ':' || name || CASE kind WHEN 'column' THEN ':' || field ELSE '' END AS text
  FROM node WHERE kind = $kind
) WHERE jaro_winkler_similarity(text, $text) > 0.9 ORDER BY jaro_winkler_similarity(text, $text) DESC, text LIMIT 1
"""


class StopFiles:
    """The kind of file that declares a stop."""

    folder = "stops"
    table = "tag_stop"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The stop in a file, and what is wrong with it."""
        needed = ("node", "requester", "approver", "reason")
        reader = FieldReader(file, dict.fromkeys(needed, str), {"tag": str, "until": str})
        value = reader.value
        start, end = reader.time("valid_from"), reader.time("until")
        node, approver, tag = value.get("node"), value.get("approver"), value.get("tag")
        if isinstance(node, str) and node.strip():
            kinds = {key.kind for key in _keys(node)}
            if "job" in kinds:
                reader.wrong(("node",), f"“{node}” is a job; tags are on datasets and columns")
            elif not kinds:
                reader.wrong(("node",), f"“{node}” is no whole node text; write dataset:NAMESPACE:NAME or column:…")
        if isinstance(tag, str) and not tag.strip():
            reader.wrong(("tag",), "is empty; leave it out for every tag")
        if approver and same_person(str(approver), str(value.get("requester"))):
            reader.wrong(("approver",), f"“{approver}” asked for the stop and cannot approve it; name somebody else")
        if start and end and end <= start:
            reader.wrong(("until",), "must come after valid_from")
        reason = value.get("reason")
        if isinstance(reason, str) and (wrong := wrong_reason(reason)):
            reader.wrong(("reason",), wrong)
        columns = {key: value.get(key) for key in ("requester", "approver", "reason")}
        return reader.done({**columns, "subject": node, "tag": tag or "", "expires": end or OPEN_END})

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that only shows among several stops."""
        return []


STOPS = StopFiles()


def warn_of_missing(found: Mapping[str, Sequence[Declared]], store: Store) -> Iterator[str]:
    """Warnings, each with file and line, of stops at nodes that are not there, or whose text names more than one, and
    of tags that nobody told."""
    for item in found.get(STOPS.folder, ()):
        text = str(item.columns["subject"])
        keys = _keys(text)
        ((many,),) = store.rows(_THERE, {"ids": [key.id for key in keys]})
        if many > 1:
            yield item.file.problem(("node",), f"“{text}” fits {many} nodes; while it does the stop stops nothing")
        if not many:
            near = store.rows(_NEAR, {"kind": keys[0].kind, "text": text})
            hint = f" (did you mean “{near[0][0]}”?)" if near else ""
            yield item.file.problem(
                ("node",), f"there is no node “{text}”{hint}; until there is one the stop stops nothing"
            )
    yield from _of_tags(found, store)


# -- inside


def _of_tags(found: Mapping[str, Sequence[Declared]], store: Store) -> Iterator[str]:
    """Warnings of tags that nobody told: no event or contract of any time, nor one of the same tree."""
    from lineage.tags import near_tags

    asked = [(item, str(item.columns["tag"])) for item in found.get(STOPS.folder, ()) if item.columns["tag"]]
    known = _known_tags(found, store) if asked else set()
    for item, tag in asked:
        if not any(matches(tag, one) for one in known):
            near = near_tags(tag, known)
            hint = f" (did you mean “{near[0]}”?)" if near else ""
            yield item.file.problem(("tag",), f"nobody told the tag “{tag}”{hint}; until then the stop stops nothing")


def _known_tags(found: Mapping[str, Sequence[Declared]], store: Store) -> set[str]:
    from lineage.contracts.binding import versions
    from lineage.contracts.model import read_contract
    from lineage.tag_facets import ever_told

    contracts = [*versions(store, _NOW), *(read_contract(item.file.value) for item in found.get("contracts", ()))]
    promised = {tag for one in contracts for thing in one.things for column in thing.columns for tag in column.pii}
    return promised | {tag for _, tag in ever_told(store, _NOW)}


def _keys(text: str) -> list[NodeKey]:
    """Every key that a node text can stand for; one when it is told by its parts."""
    key = listed(text)
    return list(splits(text)) if key is None else [key]
