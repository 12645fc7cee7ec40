"""From what a person typed to one node (semantics 2).

A node text in full is looked up directly; namespace and name may contain colons, so every split is tried. Anything
else is taken as the end of a name: a whole name beats an end that starts at a boundary (``orders`` in
``shop.orders``), which beats any other end (``orders`` in ``reorders``). Two nodes on the best of these levels are one
too many: the answer is then the list of candidates, never a guess.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING

from lineage.errors import NotANodeError, UnknownNodeError, UsageError, repeated
from lineage.identity import KINDS, NodeKey, listed, node_id, splits
from lineage.unknown_yet import refuse_unknown_yet

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.graph.ends import Levels
    from lineage.view import Instant, View

_MANY = 1000  # nodes of one level put in order for an error
_COLONS = 200  # each pair of them is a way to split a column text
_SHOWN = 50  # candidates named in an error
_NAMED = 5  # datasets of a product or domain named in an error
_MAX_TEXT = 500  # letters that are looked at for names that come near
_LEFT_OUT = 8  # words that are left out, one at a time, to find names that come near
_WORDS = 30  # a text of more is no name
_COMPARED = 200  # names that are compared with a text letter by letter
_ALIKE = 0.66


def resolve(view: View, text: str) -> int:
    """Dense index of the node that ``text`` means.

    Parameters
    ----------
    view
        the instant to look in, as the actor may see it. Ends of names never match hidden nodes, or a patient person
        could spell them out; a hidden node asked for by its full text is found, and says only that it is hidden.
    text
        node text or unique end of a name.

    Raises
    ------
    UnknownNodeError
        when no node or more than one fits; ``candidates`` has those that come near.
    NotYetKnownError
        when it means a node that was not known yet at the known time of the view.
    NotANodeError
        for a product or a domain; ``candidates`` has some of its datasets.
    HiddenNodeError
        for a domain that the actor may not see.
    UsageError
        when the text is empty, or no text.
    """
    if not isinstance(text, str):
        raise UsageError(f"{repeated(repr(text))} names no node. Write dataset:NAMESPACE:NAME or the end of a name.")
    text = text.strip()
    if not text:
        raise UsageError("An empty text names no node. Write dataset:NAMESPACE:NAME or the end of a name.")
    if text.count(":") > _COLONS:
        raise UsageError(f"A node text with more than {_COLONS} colons cannot be read.")
    if not _whole_letters(text):
        raise UnknownNodeError(text)
    parts = listed(text)
    if parts is not None:
        found_at = _index(view, parts)
        if found_at is None:
            refuse_unknown_yet(view, lambda now: resolve(now, text))
            raise UnknownNodeError(text, _columns_near(view, [parts]) or near(view, parts.name))
        return found_at
    exact = _exact(view, text)
    if exact:
        return _only(view, text, exact)
    found = _by_end(view, text)
    if found:
        return _only(view, text, found)
    refuse_unknown_yet(view, lambda now: resolve(now, text))
    _refuse_group(view, text)
    raise UnknownNodeError(text, _columns_near(view, splits(text)) or near(view, text))


def exact(view: View | Instant, text: str) -> int | None:
    """Dense index of the one node whose full text this is; ``None`` when there is none, or more than one.

    Never searches: for texts that answers gave, thousands at a time.
    """
    if text.count(":") > _COLONS:
        return None
    parts = listed(text)
    found = _exact(view, text) if parts is None else [i for i in (_index(view, parts),) if i is not None]
    return found[0] if len(found) == 1 else None


def resolve_column(view: View, dataset: int, column: str) -> int:
    """Dense index of a column of a dataset by its path.

    Raises
    ------
    UnknownNodeError
        when the dataset has no such column; ``candidates`` has those with names that come near.
    UsageError
        when the node is no dataset.
    """
    view.require(dataset)
    if not isinstance(column, str):
        raise UsageError(f"column: {repeated(repr(column))} is no text.")
    if view.kind(dataset) != "dataset":
        raise UsageError(f"{view.label(dataset)} is a {view.kind(dataset)}; only a dataset has columns.")
    snapshot = view.snapshot
    there = {snapshot.field(int(i)): int(i) for i in snapshot.columns_of(dataset)}
    wanted = column.strip()
    if wanted in there:
        return there[wanted]
    alike = [name for name in there if name.lower() == wanted.lower()]
    if len(alike) == 1:
        return there[alike[0]]
    member = snapshot.members(dataset)[0]
    refuse_unknown_yet(view, lambda now: resolve_column(now, now.snapshot.index(member) or 0, column))
    text = f"column:{snapshot.namespace(dataset)}:{snapshot.name(dataset)}:{wanted}"
    raise UnknownNodeError(text, _columns_like(view, dataset, wanted))


def _columns_like(view: View, dataset: int, wanted: str) -> list[str]:
    """Texts of the columns of a dataset whose names come near; else of its first ones."""
    snapshot = view.snapshot
    there = {snapshot.field(int(i)): int(i) for i in snapshot.columns_of(dataset)}
    names = get_close_matches(_plain(wanted[:_MAX_TEXT]), there, n=5, cutoff=0.5) or sorted(there)[:5]
    return [view.label(there[name]) for name in names]


def _columns_near(view: View, keys: Iterable[NodeKey]) -> list[str]:
    """Texts of columns of the datasets that keys of unknown columns name; none of datasets the actor may not see."""
    found: dict[str, None] = {}
    for key in keys:
        dataset = view.snapshot.index(node_id("dataset", key.namespace, key.name)) if key.kind == "column" else None
        if dataset is not None and not view.hidden(dataset):
            found.update(dict.fromkeys(_columns_like(view, dataset, key.field)))
    return list(found)[:5]


def near(view: View, text: str, limit: int = 5) -> list[str]:
    """Node texts that come near to a text that fits none."""
    from lineage.search import search

    prefix, colon, rest = text.partition(":")
    words = _plain(rest if colon and prefix in (*KINDS, "datasetField") else text)[:_MAX_TEXT]
    if not any(letter.isalnum() for letter in words):  # a dot alone is in every name, and near to none
        return []
    found = [hit.id for hit in search(view, words, limit=limit)]
    if found:
        return found
    found = _alike(view, words, limit)
    last = re.split(r"[.:/]", words)[-1]
    if last != words and any(letter.isalnum() for letter in last):
        found += [hit.id for hit in search(view, last, limit=limit)]
    return list(dict.fromkeys(found))[:limit]


def _alike(view: View, text: str, limit: int) -> list[str]:
    """Node texts that look like a text when one word of it is left out, or the end of its only one.

    A search corrects words of three letters and more; of shorter ones too many look alike.
    """
    from lineage.search import search

    text = text.lower()
    words = re.findall(r"[^\W_]+", text)
    if len(words) > _WORDS:
        return []
    less = [words[:k] + words[k + 1 :] for k in reversed(range(len(words)))][:_LEFT_OUT]
    found: dict[str, float] = {}
    least = _ALIKE if len(text) > 2 else 0.5
    compared = SequenceMatcher(b=text, autojunk=False)
    for some in less if len(words) > 1 else [[word[:-1]] for word in words if len(word) > 1]:
        for hit in search(view, " ".join(some), limit=_COMPARED):
            last = re.split(r"[.:/]", hit.name)[-1]
            for name in (f"{hit.namespace}:{hit.name}", hit.name) if len(words) > 1 else (last,):
                compared.set_seq1(name.lower())
                if compared.real_quick_ratio() >= least and compared.quick_ratio() >= least:
                    found[hit.id] = max(found.get(hit.id, 0), compared.ratio())
    best = sorted(found, key=lambda id: (-found[id], id))
    return [id for id in best if found[id] >= least][:limit]


def _plain(text: str) -> str:
    """A text in the plain form of its letters: full-width ones, for instance, as people type them otherwise."""
    return unicodedata.normalize("NFKC", text)


def _whole_letters(text: str) -> bool:
    """Whether a text can be written at all: one from a command line may hold halves of letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_group(view: View, text: str) -> None:
    """Say of the text of a product or a domain what it is, and which datasets it stands for."""
    from lineage.group_question import KINDS as GROUPS
    from lineage.group_question import group_or_node

    if text.partition(":")[0] not in GROUPS:
        return
    group = group_or_node(view, text, lambda _view, _text: -1)
    if isinstance(group, int):
        return
    what = "data product" if group.label.startswith("product:") else "domain"
    names = sorted(view.label(i) for i in group.nodes if not view.hidden(i))
    count = f" of {len(names):,} datasets" if len(names) > _NAMED else ""
    raise NotANodeError(text, f"{group.label} is a {what}{count}", names[:_NAMED])


def _exact(view: View | Instant, text: str) -> list[int]:
    return _distinct(_index(view, key) for key in splits(text))


def _index(view: View | Instant, key: NodeKey) -> int | None:
    """Dense index of a key; a column is also found under the other names of its dataset."""
    found = view.snapshot.index(key.id)
    if found is None and key.kind == "column":
        dataset = view.snapshot.index(node_id("dataset", key.namespace, key.name))
        return None if dataset is None else _column(view, dataset, key.field)
    return found


def _column(view: View | Instant, dataset: int, field: str) -> int | None:
    snapshot = view.snapshot
    return next((int(i) for i in snapshot.columns_of(dataset) if snapshot.field(int(i)) == field), None)


def _by_end(view: View, text: str) -> list[int]:
    """Nodes on the best level that has any; columns only when no dataset or job ends like this."""
    prefix, colon, rest = text.partition(":")
    kinds: Sequence[str] = ("dataset", "job", "column")
    end = text
    if colon and rest and prefix in (*KINDS, "datasetField"):
        kinds, end = ("column" if prefix == "datasetField" else prefix,), rest
    ends = view.instant.ends
    named = [kind for kind in kinds if kind != "column"]
    found = _best(view, ends.entities(end, named)) if named else []
    return found or (_best(view, ends.columns(end)) if "column" in kinds else [])


def _best(view: View, levels: Levels) -> list[int]:
    """Visible nodes of the lowest level that has any, in order of their names; of very many the first that were met."""
    for level in levels:
        visible: list[int] = []
        for i in dict.fromkeys(level.tolist()):
            if not view.hidden(i):
                visible.append(i)
            if len(visible) == _MANY:
                break
        if visible:
            return sorted(visible, key=lambda i: _order(view.snapshot, i)) if len(visible) > 1 else visible
    return []


def _order(snapshot: Snapshot, i: int) -> tuple[str, str, str, int]:
    return snapshot.name(i), snapshot.namespace(i), snapshot.field(i) if snapshot.kind[i] == 2 else "", i


def _only(view: View, text: str, found: Sequence[int]) -> int:
    if len(found) == 1:
        return found[0]
    labels = [view.label(i) for i in found[:_SHOWN]]
    told = [
        _quoted(view, i) if labels.count(label) > 1 and not view.hidden(i) else label
        for i, label in zip(found[:_SHOWN], labels, strict=True)
    ]
    raise UnknownNodeError(text, told, ambiguous=True, more=len(found) > _SHOWN)


def _quoted(view: View, i: int) -> str:
    """A node by its parts."""
    snapshot = view.snapshot
    column = [snapshot.field(i)] if view.kind(i) == "column" else []
    return json.dumps([view.kind(i), snapshot.namespace(i), snapshot.name(i), *column], ensure_ascii=False)


def _distinct(found: object) -> list[int]:
    return list(dict.fromkeys(i for i in found if i is not None))  # type: ignore[attr-defined]
