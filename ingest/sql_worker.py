"""The process that reads SQL: slow, hungry or endless texts cost it, not the server.

One line of JSON in is a question, one line out its reading. The asking side (:class:`Reader`) ends the process when a
text takes too long and starts another one for the next.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from types import TracebackType
from typing import IO

from ingest.sql_reading import SECONDS, Question, Reading

_MEMORY = 4 << 30  # bytes of address space, where the system can hold a process to it
_MAIN = (
    "import sys; sys.path[:] = {path!r}; from ingest.sql_worker import serve; "
    "serve(sys.stdin.buffer, sys.stdout.buffer)"
)


class Reader:
    """Asks questions to a process of its own, which is started when the first one comes.

    Examples
    --------
    >>> from ingest.sql_reading import Known
    >>> with Reader() as reader:
    ...     reader(Question("SELECT a FROM t", "", (Known(("t",), None),), (Known(("out",), None),))).uses
    (Use(output=0, target='a', input=0, source='a', type='DIRECT', subtype='IDENTITY'),)
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, question: Question) -> Reading:
        """The reading of one question; never raises for what the text holds."""
        process = self._process = self._process or _start()
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, give_up)
        timer.start()
        try:
            process.stdin.write(question.to_json().encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
            timer.join()
        if line.endswith(b"\n"):
            return Reading.from_json(line.decode())
        self.close()
        if late.is_set():
            return Reading(problem=f"takes longer than {self._seconds:g} seconds to read")
        return Reading(problem="the reader broke off; the text asks for too much")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                continue  # what was not sent yet has nobody to go to
        process.wait()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(questions: IO[bytes], readings: IO[bytes]) -> None:
    """Answer until the other side is gone."""
    import logging

    from ingest.sql_lineage import read

    _be_modest()
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it cannot read stands in the reading
    for line in iter(questions.readline, b""):
        try:
            reading = read(Question.from_json(line.decode()))
        except MemoryError:
            reading = Reading(problem="takes more memory to read than is allowed")
        readings.write(reading.to_json().encode() + b"\n")
        readings.flush()


def _be_modest() -> None:
    """Lowest priority and bounded memory, where the system knows such things."""
    try:
        import os
        import resource
    except ImportError:
        return
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _MAIN.format(path=sys.path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
