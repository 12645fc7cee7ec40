"""Every error Meshline raises on purpose.

The command line prints ``str(error)`` and leaves with ``exit_code``; the API answers with ``status``. A message says
what was wrong, where, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence

_LONG, _KEPT = 200, 120  # letters of a text that a message repeats whole, and of a longer one


def repeated(text: str) -> str:
    """A text as a message repeats it: a very long one is cut, with its length; half a letter is written out.

    >>> repeated("orders")
    'orders'
    >>> repeated("x" * 10_000) == "x" * 120 + "… (10,000 characters)"
    True
    """
    size = len(text)
    cut = text if size <= _LONG else f"{text[:_KEPT]}… ({size:,} characters)"
    return cut.encode("utf-8", "backslashreplace").decode()


class MeshlineError(Exception):
    """Base of all errors that are meant for a person to read."""

    exit_code = 1
    status = 400


class UsageError(MeshlineError):
    """An argument does not make sense (a time that is no time, a negative depth)."""

    exit_code = 2


class StoreError(MeshlineError):
    """The database cannot be opened, read or written."""

    status = 503


class ClosedError(StoreError):
    """Something is asked of what was closed."""


class StoreLockedError(StoreError):
    """Another process holds the database."""


class StoreVersionError(StoreError):
    """The database was written by a newer Meshline."""


class StoreOutdatedError(StoreError):
    """An older Meshline wrote the database and it is open for reading only; opening it for writing upgrades it."""


class DeclarationError(MeshlineError):
    """A declared file (domain, contract, …) is wrong; carries every problem found, each with file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class UnknownNodeError(MeshlineError):
    """No node has this name, or several have; ``candidates`` lists node texts that come near, not all with ``more``."""

    exit_code = 2
    status = 404

    def __init__(
        self, text: str, candidates: Sequence[str] = (), *, ambiguous: bool = False, more: bool = False
    ) -> None:
        self.text = text
        self.candidates = list(candidates)
        self.ambiguous = ambiguous
        told = repeated(text)
        self.headline = f"“{told}” fits several nodes" if ambiguous else f"There is no node “{told}”"
        """What is wrong, for the heading of a page."""
        if ambiguous:
            count = f"more than {len(self.candidates)} nodes, these" if more else f"{len(self.candidates)} nodes"
            head = f"“{told}” fits {count}{' among them' if more else ''}; name one of them in full:"
        elif self.candidates:
            head = f"{self.headline}. Did you mean:"
        elif not any(letter.isalnum() for letter in text):
            head = f"{self.headline}: it has neither a letter nor a digit. Look for one with: meshline search TEXT"
        else:
            head = f"{self.headline}. Look for it with: meshline search TEXT"
        super().__init__("\n  ".join([head, *self.candidates]))


class NotANodeError(UnknownNodeError):
    """A product or a domain stands where one node is asked for; ``candidates`` has some of its datasets.

    Parameters
    ----------
    text
        what was asked for.
    what
        what it is, as a sentence without its full stop.
    candidates
        node texts to ask for instead.
    """

    status = 400

    def __init__(self, text: str, what: str, candidates: Sequence[str] = ()) -> None:
        MeshlineError.__init__(
            self,
            "\n  ".join([f"{what}, not a node. Ask for one of its datasets:", *candidates])
            if candidates
            else f"{what}, not a node, and no dataset of it was ever seen.",
        )
        self.text = text
        self.candidates = list(candidates)
        self.ambiguous = False
        self.headline = f"{what}, not a node"


class NotYetKnownError(UnknownNodeError):
    """The node that is meant was not known yet at the asked known time.

    ``node`` is its text, ``known_at`` the asked time and ``since`` when it was first known (ISO 8601, UTC).
    """

    def __init__(self, node: str, known_at: str, since: str) -> None:
        super().__init__(node)
        self.node, self.known_at, self.since = node, known_at, since
        self.headline = f"{node} was not known yet at {known_at}"
        self.args = (f"{self.headline}; it is first known at {since}.",)


class UnknownTagError(MeshlineError):
    """Nothing that may be seen carries this tag; ``candidates`` lists tags that come near."""

    exit_code = 2
    status = 404

    def __init__(self, text: str, candidates: Sequence[str] = ()) -> None:
        self.text = text
        self.candidates = list(candidates)
        head = f"There is no tag “{repeated(text)}”. "
        super().__init__(
            "\n  ".join([f"{head}Did you mean:", *self.candidates])
            if self.candidates
            else f"{head}meshline tags lists those there are."
        )
