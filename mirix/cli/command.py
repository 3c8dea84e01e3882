"""What all commands have in common: shared options, one line for an error, exit codes, words apart from results.

    mirix VERB … ─> command() ─> Invocation ─> the verb's own function ─> Mirix
                       │            out: results (standard output)   err: words and progress (standard error)
                       └─ MirixError ─> "error: …" and its exit code; the traceback only with --debug

Every setting has an option here or none: `twin` makes the option of a field of `Settings`, and hands it over only when
it was given, so that the environment is read in one place, `config.py`.
"""

from __future__ import annotations

import inspect
import json
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_type_hints

import typer
from rich.console import Console
from rich.text import Text

from mirix.config import Settings, load_settings
from mirix.errors import MirixError

if TYPE_CHECKING:
    from mirix.blocking import Mirix

WIDTH = 100  # columns of what is written where there is no terminal to ask, and at most
INTERRUPTED = 130
# Logged by the library and raised as well: the error line says it already.
_RAISED_TOO = frozenset({"batch_attempt_failed", "model_failed"})


def twin(field: str, *flags: str) -> Any:
    """The option of a setting; its words come from `Settings`."""
    names = flags or (f"--{field.replace('_', '-')}",)
    described = Settings.model_fields[field].description or field
    help_text = f"{described} (MIRIX_{field.upper()})"
    return typer.Option(*names, help=help_text, show_default=False, rich_help_panel="Settings")


def _scope(flag: str, what: str) -> Any:
    return typer.Option(flag, help=f"Only memories of this {what}.", show_default=False, rich_help_panel="Settings")


_Shared = Mapping[str, tuple[Any, object]]  # name: (annotated type, default)
_COMMON: _Shared = {
    "user": (Annotated[str | None, twin("user", "--user", "-u")], None),
    "data_dir": (Annotated[Path | None, twin("data_dir")], None),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print one JSON document.")], False),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show the log, and tracebacks of errors.")], False),
}
_SCOPE: _Shared = {
    "agent": (Annotated[str | None, _scope("--agent", "agent")], None),
    "run": (Annotated[str | None, _scope("--run", "run")], None),
}
_MODELS: _Shared = {
    "chat_model": (Annotated[str | None, twin("chat_model", "--model", "-m")], None),
    "memory_model": (Annotated[str | None, twin("memory_model")], None),
    "model_base_url": (Annotated[str | None, twin("model_base_url")], None),
    "embedding_model": (Annotated[str | None, twin("embedding_model")], None),
}
_NO_SETTING = frozenset({"as_json", "debug", "agent", "run"})


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One call of a command: the shared options, and where to write."""

    overrides: Mapping[str, object]  # settings that were given as options
    agent: str | None
    run: str | None
    as_json: bool
    debug: bool
    out: Console  # results
    err: Console  # words, progress, errors

    @classmethod
    def of(cls, shared: Mapping[str, Any]) -> Invocation:
        return cls(
            overrides={name: value for name, value in shared.items() if name not in _NO_SETTING},
            agent=shared.get("agent"),
            run=shared.get("run"),
            as_json=shared["as_json"],
            debug=shared["debug"],
            out=make_console(),
            err=make_console(stderr=True),
        )

    @property
    def settings(self) -> Settings:
        """The settings, options first. Raises ConfigError."""
        return load_settings(**self.overrides)

    @contextmanager
    def open(self, settings: Settings | None = None, *, makes_user: bool = False) -> Iterator[Mirix]:
        """An open Mirix, with the settings of options and environment unless others are handed over.

        A user named by option has to be there already, but for commands that make one. Raises NotFoundError.
        """
        with self.working("opening the memory"):
            from mirix.blocking import Mirix

            memory = Mirix(settings or self.settings)
        with memory:
            if self.overrides.get("user") is not None and not makes_user:
                memory.status(user_id=str(self.overrides["user"]))
            yield memory

    def working(self, words: str) -> AbstractContextManager[object]:
        """Shows that something takes time, on a terminal."""
        return self.err.status(Text(words, style="dim")) if self.err.is_terminal else nullcontext()

    def show(self, *parts: Any) -> None:
        """Results for people; with --json nothing, for there `document` speaks."""
        if self.as_json:
            return
        for part in parts:
            if self.out.is_terminal:
                self.out.print(part)
            else:
                with self.out.capture() as captured:
                    self.out.print(part)
                self.out.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))

    def document(self, value: object, *, indent: int | None = 2) -> None:
        """The result as JSON, with --json. Without `indent` on one line, where one of several comes at a time."""
        if self.as_json:
            self.out.file.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
            self.out.file.flush()

    def note(self, words: str, *, style: str = "dim") -> None:
        """Words beside the result."""
        self.err.print(Text(words, style=style), soft_wrap=True)

    def warn(self, words: str) -> None:
        self.err.print(Text.assemble(("warning: ", "yellow"), words), soft_wrap=True)


def make_console(*, stderr: bool = False) -> Console:
    """A console on one of the standard streams, at most WIDTH columns wide."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def command(
    app: typer.Typer, name: str, *, scoped: bool = False, models: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function (invocation, its own options) as a command that has the shared options too."""
    shared = {**(_SCOPE if scoped else {}), **_COMMON, **(_MODELS if models else {})}

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        own = list(inspect.signature(function).parameters.values())[1:]

        def run(**options: Any) -> None:
            call = Invocation.of({key: options.pop(key) for key in shared})
            with _one_line_errors(call), _log_to(call):
                function(call, **options)

        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                *(
                    parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
                    for parameter in own
                ),
                *(
                    inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
                    for key, (annotation, default) in shared.items()
                ),
            ]
        )
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

    return register


@contextmanager
def _one_line_errors(call: Invocation) -> Iterator[None]:
    try:
        yield
    except MirixError as error:
        _end(call, str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001  the top of the program: whatever was not foreseen ends here
        hint = "" if call.debug else " (--debug shows where)"
        _end(call, f"unexpected {type(error).__name__}: {error}{hint}", MirixError.exit_code)


def _end(call: Invocation, words: str, code: int) -> NoReturn:
    if call.debug:
        call.err.print(Text(traceback.format_exc()), soft_wrap=True)
    call.err.print(Text.assemble(("error: ", "bold red"), " ".join(words.split())), soft_wrap=True)
    raise typer.Exit(code) from None


class _Words(logging.Handler):
    """Warnings of the library as words for people; the whole log with --debug."""

    def __init__(self, call: Invocation) -> None:
        super().__init__(logging.DEBUG if call.debug else logging.WARNING)
        self._call = call

    def emit(self, record: logging.LogRecord) -> None:
        if self._call.debug:
            self._call.note(f"{record.levelname.lower()} {record.name}: {record.getMessage()}")
        elif getattr(record, "action", None) not in _RAISED_TOO:
            self._call.warn(record.getMessage())


@contextmanager
def _log_to(call: Invocation) -> Iterator[None]:
    handler = _Words(call)
    # The pool tries again by itself, and its warnings repeat what the error says.
    levels = {"mirix": handler.level, "procrastinate": logging.DEBUG if call.debug else logging.CRITICAL}
    levels["psycopg.pool"] = levels["procrastinate"]
    loggers = [(logging.getLogger(name), level) for name, level in levels.items()]
    before = [(logger, logger.level, logger.propagate) for logger, _ in loggers]
    for logger, level in loggers:
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
