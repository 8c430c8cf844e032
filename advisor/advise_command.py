"""What ``tuneworthy advise`` does: gather the answers, by a dialogue or from files, and make the advice of them."""

import io
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

from advisor.advice_parts import Found, Sources, look_into, whole_advice
from advisor.advise_options import DEFAULT_FILE
from advisor.answers import known, read_answers, set_answers, write_answers
from advisor.dialogue import Dialogue
from advisor.questions import relevant
from advisor.recommend import NOT_READY
from advisor.task_draft import draft_task
from evals.errors import TuneworthyError, UsageError
from evals.files import write_json, write_text
from evals.prices import load_prices
from reports.advice_page import write_advice


@dataclass(frozen=True)
class AdviseRequest:
    """The command line of ``tuneworthy advise``; ``pairs`` are key=value."""

    answers: Path | None = None
    pairs: tuple[str, ...] = ()
    save: Path | None = None
    resume: Path | None = None
    out: Path | None = None
    sources: Sources = field(default_factory=Sources)


@dataclass(frozen=True)
class Advised:
    """The advice (the content of advice.json), and the files that were written: what each is → where."""

    advice: dict[str, Any]
    files: Mapping[str, Path]


class Asker(Protocol):
    """Shows a state of the dialogue, and returns the one after the user's step."""

    def ask(self, dialogue: Dialogue) -> Dialogue:
        """Show the present question or the summary."""

    def note(self, text: str) -> None:
        """Write a line that stays."""


def make_advice(request: AdviseRequest, terminal: TextIO) -> Advised | None:
    """Carry out the command; questions go to ``terminal``. None: the user left the dialogue for now."""
    given = request.answers is not None or bool(request.pairs)
    if given and request.resume is not None:
        raise UsageError("--resume asks questions, --answers and --set don't: give FILE to --answers to ask nothing")
    load_prices(request.sources.prices)  # better to know what is wrong before anything is asked or measured
    if not given:
        _begun(request, _saved_in(request))
    with _folder(request.out):
        return _asked_or_given(request, terminal, given=given)


@contextmanager
def _folder(out: Path | None) -> Iterator[None]:
    """Make the folder ``out`` before anything is measured; on an error one that was made for nothing goes again."""
    new = out is not None and not out.exists()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if new and out is not None:
            with suppress(OSError):  # something stands in it
                out.rmdir()
        raise


def _asked_or_given(request: AdviseRequest, terminal: TextIO, *, given: bool) -> Advised | None:
    found = look_into(request.sources)
    if not given:
        return _by_dialogue(request, found, terminal)
    said = read_answers(request.answers) if request.answers is not None else {}
    said |= set_answers(request.pairs)
    answers = relevant({**found.answers, **said})
    if request.save is not None:
        _check_free(request.save, request.answers)
        write_answers(request.save, {**answers, **said})
    return _advised({**answers, **said}, found, request, request.save)


def _by_dialogue(request: AdviseRequest, found: Found, terminal: TextIO) -> Advised | None:
    """Ask, and save after each step; whatever ends the dialogue early leaves a file to go on with."""
    path = _saved_in(request)
    dialogue = Dialogue(relevant({**found.answers, **_begun(request, path)}))
    write_answers(path, dialogue.answers)  # where that can't be done, better to know it before the first question
    go_on = f"Go on with: tuneworthy advise --resume {shlex.quote(str(path))}"
    try:
        asker = _asker(terminal)
        asker.note(_opening(dialogue, path))
        for sentence in found.sentences.values():
            asker.note(f"Measured: {sentence}")
        while not dialogue.end:
            after = asker.ask(dialogue)
            if after.answers != dialogue.answers:
                # an answer that was gone back over stays in the file until there's another
                write_answers(path, relevant({**after.former, **after.answers}))
            dialogue = after
        if dialogue.end == "quit":
            asker.note(f"Your answers are in {path}.")
            asker.note(go_on)
            return None
        return _advised(dialogue.answers, found, request, path)
    except (KeyboardInterrupt, EOFError):
        raise TuneworthyError(f"stopped; the answers so far are in {path}. {go_on}") from None


def _check_free(save: Path, answers: Path | None) -> None:
    """Refuse to write over anything but the file that the answers came from, and files that hold none yet."""
    if save.exists() and save != answers and read_answers(save):
        raise UsageError(
            f"{save} holds answers already: --answers {shlex.quote(str(save))} beside it adds to them, "
            "or save to another file"
        )


def _saved_in(request: AdviseRequest) -> Path:
    return request.save or request.resume or Path(DEFAULT_FILE)


def _opening(dialogue: Dialogue, path: Path) -> str:
    begun = f"{len(dialogue.answers)} questions are answered. " if dialogue.answers else ""
    return f"{begun}Answers are saved in {path} after each question."


def _begun(request: AdviseRequest, path: Path) -> dict[str, str | None]:
    """Return the answers to begin with; a dialogue doesn't write over those of another."""
    if path.exists() and path != request.resume and read_answers(path):
        raise UsageError(
            f"{path} holds answers already: go on with `tuneworthy advise --resume {shlex.quote(str(path))}`, "
            "or begin anew in another file with --save FILE"
        )
    return {} if request.resume is None else read_answers(request.resume)


def _advised(answers: Mapping[str, str | None], found: Found, request: AdviseRequest, saved: Path | None) -> Advised:
    """Make the advice and write it, with its page and a task file, to the folder asked for."""
    drafted = request.out if relevant(answers).get("task") != "grouping" else None
    where = saved or request.answers
    advice = whole_advice(known(answers), found, request.sources, task=drafted, saved=where)
    files = {} if saved is None else {"Answers": saved}
    if request.out is not None:
        files |= _written(advice, known(answers), request, drafts=drafted is not None)
    return Advised(advice, files)


def _written(
    advice: dict[str, Any], answers: Mapping[str, str], request: AdviseRequest, *, drafts: bool
) -> dict[str, Path]:
    """Write advice.json, advice.html and, where a task can be run and there is none yet, task.yaml."""
    folder, sources = request.out or Path(), request.sources
    task, path = folder / "task.yaml", folder / "advice.json"
    files = {"Advice, in place of an earlier one" if path.exists() else "Advice": path, "Page": folder / "advice.html"}
    recommended = advice["recommendation"]
    try:
        write_json(path, advice)
        write_advice(folder, advice)
        if task.exists():
            files["Task, as it was there before"] = task
        elif drafts:
            text = draft_task(
                answers,
                recommended["meanwhile"] if recommended["approach"] == NOT_READY else recommended["approach"],
                sources.data,
                sources.documents,
                folder=folder,
                eval_data=sources.eval_data,
                minimum_gain=sources.gain,
                input_column=sources.input_column,
                target_column=sources.target_column,
            )
            write_text(task, text)
            files["Task"] = task
    except OSError as error:
        where = error.filename or folder
        raise TuneworthyError(f"{where}: can't be written: {error.strerror or error}") from None
    return files


def _asker(terminal: TextIO) -> Asker:
    """Choose how to ask: arrow keys, numbered prompts where keys can't be read, lines where no terminal is."""
    from advisor.dialogue_lines import LinesAsker

    typed = sys.stdin is not None and sys.stdin.isatty()
    if typed and terminal.isatty() and os.environ.get("TERM", "dumb") not in {"", "dumb", "unknown"}:
        from advisor.dialogue_keys import KeysAsker

        return KeysAsker(terminal)
    lines = io.BytesIO() if sys.stdin is None else sys.stdin.buffer
    return LinesAsker(lines, terminal, piped=not typed, columns=lambda: shutil.get_terminal_size().columns)
