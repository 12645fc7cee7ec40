"""Check that a wheel carries every tracked file of the packages.

A forgotten data file breaks installed copies only, so no test that runs in the tree would see it.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile

PACKAGES = ("lineage", "ingest", "dashboard", "sample_events")


def main(wheel: str) -> int:
    """Print what is missing; 0 when nothing is."""
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], check=True, capture_output=True, text=True)
    tracked = {name for name in listed.stdout.split("\0") if name}
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    missing = sorted(tracked - held)
    for name in missing:
        sys.stderr.write(f"not in the wheel: {name} (add its suffix to package-data in pyproject.toml)\n")
    sys.stdout.write(f"{len(tracked)} files of the packages, {len(missing)} missing in the wheel\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
