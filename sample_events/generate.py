"""Write the sample events again: ``python -m sample_events.generate [DIRECTORY]``.

The same bytes every time: everything hangs on the seed in plan.py. Needs openlineage-python (``pip install
'meshline[test]'``) in the version named here; another version may spell its facets differently.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from itertools import groupby
from pathlib import Path

CLIENT_VERSION = "1.54.0"


def main(target: Path) -> None:
    """Write events, receipts and the story below ``target``."""
    from sample_events.bill import write as write_bill
    from sample_events.emit import Emitted, all_events
    from sample_events.page import render

    directory = target / "events"
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.ndjson"):
        old.unlink()
    lines: dict[str, list[bytes]] = defaultdict(list)
    ranges: list[tuple[str, str, int, int]] = []

    def file_of(event: Emitted) -> str:
        # March has one day; it goes with April.
        return f"{event.group}-2026-{max(event.received.month, 4):02d}.ndjson"

    ordered = sorted(all_events(), key=lambda e: (e.received, file_of(e)))  # stable: event time within a file
    for (received, name), batch in groupby(ordered, key=lambda e: (e.received, file_of(e))):
        first = len(lines[name]) + 1
        lines[name] += [event.line for event in batch]
        ranges.append((received.isoformat() + "Z", name, first, len(lines[name])))
    for name, content in lines.items():
        (directory / name).write_bytes(b"\n".join(content) + b"\n")
    with (target / "receipts.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["received_at", "file", "first_line", "last_line"])
        writer.writerows(ranges)
    write_bill(target / "bills")
    (target / "STORY.md").write_text(render(sum(map(len, lines.values()))), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sample_events.generate", description="Write the sample events.")
    parser.add_argument("directory", type=Path, nargs="?", default=Path(__file__).parent, help="default: this package")
    main(parser.parse_args().directory)
