"""The command line ``meshline``: a root that knows no command by itself.

Each package contributes its commands through the entry point group ``meshline.commands``: the value is a
function ``register(app)`` that adds commands to the typer application, the key says in which order. Third
parties may do the same. A function ``register(app, word)`` is told the word that the line begins with, and may leave
out what is called otherwise (``None``: all is wanted). Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import Annotated, Any, NoReturn

import typer
from typer.models import CommandInfo, TyperInfo

from lineage import __version__
from lineage.errors import MeshlineError
from lineage.options import pipe_closed
from lineage.partial import gathered

COMMANDS = "meshline.commands"
INTERRUPTED = 130  # 128 + SIGINT, what shells expect
_COLLECT = (50_000, 20, 50)  # an answer makes 200,000 objects and no garbage: looking for it takes a tenth of its time


def build_app(entries: Sequence[EntryPoint] | None = None, word: str | None = None) -> typer.Typer:
    """The application with the commands of these entry points (``None``: of every installed package).

    A package whose commands cannot be loaded is named on stderr; the others go on working.

    Parameters
    ----------
    entries
        the entry points.
    word
        the only command or group that is needed, for those who can leave out the others; ``None``: all are.
    """
    app = typer.Typer(
        name="meshline",
        help="Lineage and observability graph engine for data meshes, fed by OpenLineage events.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: Annotated[
            bool,
            typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_version),
        ] = False,
    ) -> None:
        """Lineage and observability graph engine for data meshes, fed by OpenLineage events."""

    for entry in _entry_points() if entries is None else entries:
        try:
            register = entry.load()
        except ImportError as error:
            typer.echo(f"meshline: the commands of {entry.value} cannot be loaded: {error}", err=True)
            continue
        if "word" in signature(register).parameters:
            register(app, word=word)
        else:
            register(app)
    return app


def main() -> None:
    """Run the command of this process and leave with its exit code; no traceback for what a person can put right."""
    gc.set_threshold(*_COLLECT)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads for algebra that nobody here does
    _leave(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        the words after ``meshline``; ``None`` for those of this process.

    Returns
    -------
    int
        exit code: 0 fine, 1 something failed, 2 the question was wrong, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        command = _command(tuple(_entry_points()), words[0] if words else "")
        with gathered() as notes:
            result = command.main(args=words, prog_name="meshline", standalone_mode=False)
        sys.stdout.flush()
        for note in notes:
            typer.echo(note, err=True)
    except MeshlineError as error:
        typer.echo(f"meshline: {error}", err=True)
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except BrokenPipeError:
        pipe_closed()
        return 0
    except SystemExit as leaving:  # typer leaves so when a pipe is closed
        if isinstance(leaving.__context__, BrokenPipeError):
            pipe_closed()
            return 0
        raise
    except OSError as error:
        typer.echo(f"meshline: {_os_error(error)}", err=True)
        return 1
    except Exception as error:
        shown = _usage_error(error)
        return _defect(error) if shown is None else shown
    if result == INTERRUPTED:
        typer.echo("meshline: interrupted", err=True)
    return result if isinstance(result, int) else 0


def _leave(code: int) -> NoReturn:
    """End the process without taking its objects apart one by one, which is a tenth of the time of a large answer.

    mypy leaves in the same way. What is registered for the end is done, and threads that still work are waited for.
    """
    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads any more
            sys.exit(code)
    os._exit(code)


def _usage_error(error: Exception) -> int | None:
    """Show a wrong option or argument as typer does; ``None`` for any other error."""
    show = getattr(error, "show", None)
    code = getattr(error, "exit_code", None)
    if not callable(show) or not isinstance(code, int):
        return None
    show()
    return code


def _defect(error: Exception) -> int:
    """An error nobody foresaw: one line for people, all of it for those who set ``MESHLINE_TRACE``."""
    if os.environ.get("MESHLINE_TRACE"):
        raise error
    what = str(error).strip().partition("\n")[0]
    if type(error).__name__ == "OutOfMemoryException":  # DuckDB's; not loaded by commands that need no database
        typer.echo("The database may take too little memory for this: set MESHLINE_MEMORY to more.", err=True)
        return 1
    typer.echo(
        f"meshline: unexpected {type(error).__name__}: {what}\n"
        "This is a defect. Run it again with MESHLINE_TRACE=1 to see where, and report it.",
        err=True,
    )
    return 1


def _os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"meshline {__version__}")
        raise typer.Exit


@cache
def _command(entries: tuple[EntryPoint, ...], word: str) -> Any:
    """What runs a line that begins with ``word``.

    The options of a hundred commands take longer to read than most commands run, so of the others nothing is made
    when the first word names one; and nothing is made twice in a process.
    """
    if not word or word.startswith("-"):
        return typer.main.get_command(build_app(entries))
    app = build_app(entries, word)
    commands = [info for info in app.registered_commands if _name(info) == word]
    groups = [info for info in app.registered_groups if _name(info) == word]
    if not commands and not groups:
        return typer.main.get_command(build_app(entries))
    app.registered_commands, app.registered_groups = commands, groups
    return typer.main.get_command(app)


def _name(info: CommandInfo | TyperInfo) -> str:
    """The word by which a command or group is called."""
    if isinstance(info, TyperInfo):
        named = info.name if isinstance(info.name, str) else None
        return named or str(info.typer_instance.info.name if info.typer_instance else "")
    return info.name or (typer.main.get_command_name(info.callback.__name__) if info.callback else "")


def _entry_points() -> list[EntryPoint]:
    """Entry points of all packages in the order of their keys, each once."""
    found = {(entry.name, entry.value): entry for entry in entry_points(group=COMMANDS)}
    return [found[key] for key in sorted(found)]


if __name__ == "__main__":
    main()
