"""A process that ingests in batches and says after each one that it is committed; for tests that kill or starve it.

``python -m tests.ingest.bulk DATABASE FILE START LIMIT [SETTING…]``: events of FILE from START on, BATCH at a time.
LIMIT is the largest file it may write, as on a disk that is nearly full (0: any).
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from ingest.writer import Writer
from lineage.errors import MeshlineError
from lineage.store import Store

BATCH = 20


def main(database: str, file: str, start: str, limit: str, *settings: str) -> None:
    """Ingest, print how far it is after every commit, leave with 1 and a message when the store refuses."""
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    lines = Path(file).read_bytes().splitlines()
    with Store.open(database) as store:
        for setting in settings:
            with store.cursor() as cursor:
                cursor.execute(f"SET GLOBAL {setting}")
        writer = Writer(store)
        for begin in range(int(start), len(lines), BATCH):
            try:
                writer.ingest(lines[begin : begin + BATCH], source="bulk")
            except MeshlineError as error:
                sys.exit(f"refused: {error}")
            print(begin + BATCH, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
