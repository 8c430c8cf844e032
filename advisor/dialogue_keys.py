"""The dialogue with arrow keys: one question at a time, drawn in place; what is answered stays as one line above.

Built on prompt_toolkit, which is imported only here.
"""

import signal
from collections.abc import Callable
from typing import Any, Literal, TextIO

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from advisor.dialogue import Dialogue, choices
from advisor.dialogue_text import (
    GO_ON,
    explanation,
    item,
    left_out,
    option_texts,
    progress,
    record,
    summary_lines,
    wrapped,
)
from advisor.questions import questions

Chosen = int | Literal["back", "skip", "quit"]


class KeysAsker:
    """Asks on a terminal whose keys can be read."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._output = create_output(stdout=terminal)
        if isinstance(self._output, Vt100_Output):
            self._output.enable_cpr = False  # some terminals never answer where the cursor is

    def ask(self, dialogue: Dialogue) -> Dialogue:
        """Show the present question or the summary and return the state after the user's step."""
        question = dialogue.question
        if question is None:
            return self._summary(dialogue)

        def head(width: int, helped: bool) -> StyleAndTextTuples:
            more = "\n\n" + explanation(question, width) if helped else ""
            return [
                ("class:faint", "\n" + progress(dialogue) + "\n"),
                ("bold", wrapped(question.text, width) + "\n"),
                ("", wrapped(question.why, width, "Why we ask: ", "  ") + more + "\n"),
            ]

        menu = _Menu(self._output, head, lambda width: option_texts(question), dialogue.last_choice or 0)
        chosen = menu.run("arrows or number, Enter | ? example | b back | s later | q save and quit")
        after = _step(dialogue, chosen) if isinstance(chosen, str) else dialogue.answer(choices(question)[chosen])
        self.note(record(dialogue, after, self._output.get_size().columns - 1))
        return after

    def note(self, text: str) -> None:
        """Write a line that stays."""
        if text:
            width = self._output.get_size().columns - 1
            self._terminal.write(wrapped(text, width, later="    ") + "\n")
            self._terminal.flush()

    def _summary(self, dialogue: Dialogue) -> Dialogue:
        def head(width: int, helped: bool) -> StyleAndTextTuples:
            return [
                ("bold", "\nYour answers\n"),
                ("", wrapped(left_out(dialogue, len(questions())), width) + "\n"),
            ]

        asked = dialogue.asked
        menu = _Menu(self._output, head, lambda width: [*summary_lines(dialogue, width), GO_ON], len(asked))
        chosen = menu.run("Enter for the advice | arrows or number, Enter to change one | b back | q quit")
        if isinstance(chosen, str):
            return _step(dialogue, chosen)
        return dialogue.finish() if chosen == len(asked) else dialogue.edit(asked[chosen].key)


def _step(dialogue: Dialogue, chosen: Literal["back", "skip", "quit"]) -> Dialogue:
    return {"back": dialogue.back, "skip": dialogue.skip, "quit": dialogue.quit}[chosen]()


class _Menu:
    """A list to choose from, under a head and above a line that names the keys."""

    def __init__(
        self,
        output: Output,
        head: Callable[[int, bool], StyleAndTextTuples],
        items: Callable[[int], list[str]],
        at: int,
    ) -> None:
        self._output, self._head, self._items = output, head, items
        self._at, self._typed, self._helped = at, "", False

    def run(self, keys: str) -> Chosen:
        """Show the list until the user has chosen. Raises ``KeyboardInterrupt`` on Ctrl-C, Ctrl-D and SIGTERM."""
        bottom = FormattedTextControl(lambda: [("class:faint", "\n" + wrapped(keys, self._width))])
        app: Application[Chosen] = Application(
            layout=Layout(
                HSplit(
                    [
                        Window(FormattedTextControl(self._top), dont_extend_height=True),
                        Window(FormattedTextControl(self._list, focusable=True, show_cursor=False)),
                        Window(bottom, dont_extend_height=True),
                    ]
                )
            ),
            key_bindings=self._bindings(),
            output=self._output,
            style=Style([("faint", "dim")]),
            erase_when_done=True,
        )
        app.ttimeoutlen = 0.05
        before = signal.getsignal(signal.SIGTERM)

        def terminated(number: int, frame: object) -> None:
            if app.loop is not None:
                app.loop.call_soon_threadsafe(_interrupt, app)

        signal.signal(signal.SIGTERM, terminated)
        try:
            return app.run()
        finally:
            signal.signal(signal.SIGTERM, before)

    @property
    def _width(self) -> int:
        return self._output.get_size().columns - 1

    def _top(self) -> StyleAndTextTuples:
        return self._head(self._width, self._helped)

    def _list(self) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for place, text in enumerate(self._items(self._width)):
            here = place == self._at
            line = item(place + 1, text, self._width, ">" if here else " ")
            shown += [("[SetCursorPosition]" if here else "", ""), ("bold" if here else "", line), ("", "\n")]
        return shown[:-1]

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()

        def on(*names: str, does: Callable[[KeyPressEvent], object]) -> None:
            for name in names:
                bindings.add(name, eager=name != Keys.Any)(lambda event: does(event) and None)

        last = len(self._items(WIDE)) - 1
        on("up", "k", "c-p", does=lambda event: self._move((self._at - 1) % (last + 1)))
        on("down", "j", "c-n", "tab", does=lambda event: self._move((self._at + 1) % (last + 1)))
        on("home", "pageup", does=lambda event: self._move(0))
        on("end", "pagedown", does=lambda event: self._move(last))
        on("enter", "c-j", does=lambda event: event.app.exit(result=self._at))
        on("b", "left", "backspace", does=lambda event: event.app.exit(result="back"))
        on("s", does=lambda event: event.app.exit(result="skip"))
        on("q", does=lambda event: event.app.exit(result="quit"))
        on("?", "h", does=lambda event: self._help())
        on("c-c", "c-d", Keys.SIGINT, does=lambda event: _interrupt(event.app))
        on(*"0123456789", does=lambda event: self._digit(event.data, last))
        on(Keys.Any, does=lambda event: None)
        return bindings

    def _move(self, place: int) -> None:
        self._at, self._typed = place, ""

    def _help(self) -> None:
        self._helped = not self._helped

    def _digit(self, digit: str, last: int) -> None:
        for typed in (self._typed + digit, digit):
            if 1 <= int(typed) <= last + 1:
                self._at, self._typed = int(typed) - 1, typed
                return


WIDE = 1000


def _interrupt(app: Application[Any]) -> None:
    if app.future is not None and not app.future.done():
        app.exit(exception=KeyboardInterrupt())
