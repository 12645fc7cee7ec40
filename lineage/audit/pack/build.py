"""Put an evidence pack together: one zip file that proves itself offline (semantics 25)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from lineage.audit.batches import ACCEPT, event_leaf, log_batches
from lineage.audit.checkpoint import add_checkpoint
from lineage.audit.log import Act, read, record
from lineage.audit.merkle import inclusion_proof, root
from lineage.audit.pack.contents import Event, datasets_of, declared_then, events_behind, quality_then, stops_then
from lineage.audit.pack.policies import policies_then
from lineage.audit.pack.prov import to_prov
from lineage.audit.pack.report import to_html
from lineage.audit.tree import Tree
from lineage.jsonable import to_json
from lineage.store.blocks import unpack
from lineage.times import iso, utcnow

if TYPE_CHECKING:
    import duckdb

    from lineage.answers import Answer
    from lineage.audit.signing import SigningKey
    from lineage.run_trail import RunTrail
    from lineage.view import View

FORMAT = "meshline-evidence-1"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # time of every member: the same evidence gives the same bytes
_ACTS = "action = ? AND list_contains(?, resource)"


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack as it was made."""

    data: bytes  # the zip file
    sha256: str
    key: str  # fingerprint of the key that signed it
    verifier: str  # SHA-256 of its verify.py
    node: str
    as_of: datetime
    known_at: datetime
    events: int
    members: int
    gaps: tuple[str, ...]


@dataclass
class _Members:
    """The files of a pack, in their order."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, data: bytes | str) -> None:
        self.files[name] = data.encode("utf-8", "replace") if isinstance(data, str) else data

    def add_json(self, name: str, value: object) -> None:
        self.add(name, json.dumps(to_json(value), indent=1, ensure_ascii=False))

    def listing(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in self.files.items()
        ]


def build_pack(
    view: View,
    trail: RunTrail,
    answer: Answer,
    key: SigningKey,
    *,
    actor: str,
    raw_events: bool = True,
    at: datetime | None = None,
    progress: Callable[[float, str], None] = lambda share, text: None,
) -> Pack:
    """Make the pack of one node at one instant.

    Parameters
    ----------
    view
        the instant; its store must be writable, since the pack is an act of the audit log and brings a checkpoint.
    trail, answer
        run provenance and provenance of the node at that instant.
    key
        who signs.
    actor
        who asks for it, for the log.
    raw_events
        put the events into the pack. Without them it holds their hashes, which prove the same of an event that
        somebody shows; events may hold secrets, and are never altered here.
    at
        when it is made (default: now).
    progress
        told how far it is (0 … 1) and what it does next.
    """
    made = at or utcnow()
    progress(0.3, "logging the act and signing a checkpoint")
    log_batches(view.store)
    payload = {"as_of": iso(trail.as_of), "known_at": iso(trail.known_at), "events": raw_events}
    with view.store.transaction() as cursor:
        record(cursor, actor=actor, action="evidence.export", resource=trail.node, payload=payload, at=made)
        note = add_checkpoint(cursor, key, at=made).note
    members = _Members()
    with view.store.reading() as cursor:
        progress(0.45, "reading the events behind the runs")
        datasets = datasets_of(view, trail)
        events = events_behind(view, cursor, trail, datasets)
        quality = quality_then(view, cursor, datasets)
        policies = policies_then(view, cursor, trail, datasets)
        stops = stops_then(view, datasets)
        gaps = _gaps(trail, answer, events)
        members.add_json("provenance.json", answer)
        members.add_json("runs.json", trail)
        members.add_json("lineage.prov.json", to_prov(trail))
        members.add_json("quality.json", quality)
        members.add_json("policies.json", policies)
        members.add_json("stops.json", stops)
        for path, text in declared_then(view, cursor).items():
            members.add(f"declared/{_safe(path)}", text)
        if raw_events:
            for event in events:
                members.add(_event_name(event), event.data)
        progress(0.7, f"proving that {len(events):,} events are in the archive")
        members.add_json("proofs.json", _proofs(cursor, events, trail.node))
    progress(0.9, "writing and signing the pack")
    members.add("checkpoint.txt", note)
    members.add("public_key.txt", f"{key.public.hex()}\nfingerprint (SHA-256) {key.fingerprint}\n")
    manifest = {
        "format": FORMAT, "node": trail.node, "as_of": iso(trail.as_of), "known_at": iso(trail.known_at),
        "made_at": iso(made), "made_by": actor, "generated_by": answer.generated_by,
        "fingerprint": answer.fingerprint, "events": len(events), "gaps": list(gaps), "key": key.fingerprint,
    }  # fmt: skip
    members.add("report.html", to_html(trail, answer, quality, policies, stops, gaps, manifest))
    members.add("verify.py", verifier())
    return _sign(members, manifest, key, trail)


def verifier() -> bytes:
    """The program that checks a pack; it needs Python and nothing else."""
    return (resources.files("lineage.audit.pack") / "verifier.txt").read_bytes()


def _sign(members: _Members, manifest: dict[str, Any], key: SigningKey, trail: RunTrail) -> Pack:
    manifest["members"] = members.listing()
    raw = json.dumps(manifest, indent=1, ensure_ascii=False).encode("utf-8", "replace")
    signature = {"public_key": key.public.hex(), "signature": key.sign(raw).hex()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        signed = {"manifest.json": raw, "manifest.sig": json.dumps(signature).encode()}
        for name, data in {**signed, **members.files}.items():
            pack.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    data = out.getvalue()
    return Pack(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        key=key.fingerprint,
        verifier=hashlib.sha256(members.files["verify.py"]).hexdigest(),
        node=trail.node,
        as_of=trail.as_of,
        known_at=trail.known_at,
        events=manifest["events"],
        members=len(members.files),
        gaps=tuple(manifest["gaps"]),
    )


def _proofs(cursor: duckdb.DuckDBPyConnection, events: Sequence[Event], node: str) -> dict[str, Any]:
    """Paths from each event to the root of its batch, and from each act to that of the checkpoint."""
    by_block: dict[int, list[Event]] = {}
    for event in events:
        by_block.setdefault(event.block, []).append(event)
    proved = []
    for block, wanted in sorted(by_block.items()):
        body = cursor.execute("SELECT body FROM raw WHERE block = ?", [block]).fetchall()[0][0]
        leaves = [event_leaf(data) for data in unpack(body)]

        run_root = cache(partial(_root_of, leaves))  # the paths of one block share most of their roots
        for event in wanted:
            path = inclusion_proof(event.position, len(leaves), run_root)
            proved.append(
                {
                    "member": _event_name(event), "sha256": event.sha256.hex(), "block": block,
                    "position": event.position, "path": [step.hex() for step in path],
                }
            )  # fmt: skip
    tree = Tree(cursor)
    acts = read(cursor, _ACTS, [ACCEPT, [f"block {block}" for block in by_block]])
    acts += read(cursor, "resource = ?", [node])
    return {"size": tree.size, "events": proved, "acts": [_act(act, tree) for act in acts]}


def _root_of(leaves: Sequence[bytes], start: int, end: int) -> bytes:
    return root(leaves[start:end])


def _act(act: Act, tree: Tree) -> dict[str, Any]:
    return {
        "seq": act.seq,
        "at": act.at.isoformat(timespec="microseconds") + "Z",
        "actor": act.actor,
        "action": act.action,
        "resource": act.resource,
        "outcome": act.outcome,
        "payload": act.payload,
        "path": [step.hex() for step in tree.inclusion(act.seq)],
    }


def _event_name(event: Event) -> str:
    return f"events/{event.sha256.hex()}.json"


def _gaps(trail: RunTrail, answer: Answer, events: Sequence[Event]) -> tuple[str, ...]:
    """What the pack cannot tell, stated openly."""
    gaps = [*trail.blind_spots, *answer.blind_spots, *answer.notes]
    if trail.behind:
        gaps.append(f"Partial: {trail.behind} more versions lie behind what is listed.")
    if answer.frontier is not None:
        gaps.append("Partial: the list of what lies upstream was cut.")
    if answer.coverage and answer.coverage.unparsed_sql:
        gaps.append(f"The SQL of {answer.coverage.unparsed_sql} jobs on the way was not read for columns.")
    if not events and trail.steps:
        gaps.append("The events behind these runs are not in the archive any more.")
    return tuple(dict.fromkeys(gaps))


def _safe(path: str) -> str:
    """A path inside the pack that leads nowhere else.

    >>> _safe("../../etc/x.yaml")
    'etc/x.yaml'
    """
    return "/".join(part for part in PurePosixPath(path.replace("\\", "/")).parts if part not in ("..", "/", "."))
