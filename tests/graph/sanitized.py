"""A C module built with the address and undefined-behaviour sanitizers, and a program run with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_FLAGS = (
    "-O1",
    "-g",
    "-std=c11",
    "-fPIC",
    "-shared",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-DFAR_PAIRS=500",
)


def run_sanitized(source: Path, program: str, folder: Path) -> str:
    """Output of ``python -m program BUILT``; fails the test when a sanitizer complains, skips it where none is."""
    compiler = shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs gcc on Linux: no C compiler here")
    include = sysconfig.get_paths()["include"]
    if not (Path(include) / "Python.h").exists():
        pytest.skip("the C headers of this Python are not installed")
    target = folder / f"{source.stem}.so"
    command = [compiler, *_FLAGS, "-Wall", "-Wextra", "-Werror", f"-I{include}", "-o", str(target), str(source)]
    build = subprocess.run(command, capture_output=True, text=True)
    if "cannot find" in build.stderr and "san" in build.stderr:
        pytest.skip("gcc has no sanitizer libraries here")
    assert build.returncode == 0, build.stderr
    runtime = [
        subprocess.run([compiler, f"-print-file-name={lib}"], capture_output=True, text=True, check=True).stdout.strip()
        for lib in ("libasan.so", "libubsan.so")
    ]
    env = {**os.environ, "LD_PRELOAD": ":".join(runtime), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
    run = subprocess.run(
        [sys.executable, "-m", program, str(target)], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout.strip()
