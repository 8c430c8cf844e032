"""``tuneworthy check`` in the terminal: what is known of a task before anything is run."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from evals.record import SkippedArm
from evals.task_facts import TaskFacts
from reports.data_condition import repeat_sentences
from reports.leaks import NOT_MET, leak_sentences
from reports.wording import clip, count, metric_name, number, plural, shown

_LABELS = 12


@dataclass(frozen=True)
class CheckedTask:
    """What a terminal shows of a task: its facts, the arms that fit, and those that don't."""

    facts: TaskFacts
    arms: Sequence[str]
    skipped: Sequence[SkippedArm]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give rich the parts, top to bottom."""
        facts = self.facts
        yield Text(f"{shown(facts.name)}: {facts.answer} answers, scored by {metric_name(facts.metric)}", style="bold")
        rows = f"{plural(facts.train_rows, 'training row')}, {plural(facts.eval_rows, 'eval row')}"
        yield Text(f"{rows}, {plural(facts.documents, 'document')}")
        condition = facts.condition
        for kind, words in (
            ("input", condition.input_words),
            ("answer", condition.answer_words),
            ("document", condition.document_words),
        ):
            if words is not None:
                middle = plural(round(words.median), "word")
                yield Text(f"{kind}: {middle} (median), {number(words.p95)} (95th percentile)")
        for sentence in repeat_sentences(asdict(condition), facts.train_rows):
            yield Text(sentence)
        if condition.labels:
            yield Text()
            yield _balance(facts)
        yield Text()
        leaks = [asdict(leak) | {"share": leak.share, "passed": leak.passed} for leak in facts.leaks]
        yield from _lines("Leakage", leak_sentences(leaks))
        warned = facts.detectable.too_coarse
        yield Text("What the eval rows can show", style="bold")
        yield Text(f"• {facts.detectable.sentence}", style="yellow" if warned else "")
        yield Text()
        why = [f"{arm.name} doesn't fit: {shown(arm.reason)}" for arm in self.skipped]
        yield from _lines("Arms", [f"would run: {', '.join(self.arms)}", *why])
        if facts.notes:
            yield from _lines("Notes", [shown(note) for note in facts.notes])


def _lines(title: str, lines: Sequence[str]) -> Iterator[Text]:
    yield Text(title, style="bold")
    for line in lines:
        yield Text(f"• {line}", style="red" if NOT_MET in line else "")
    yield Text()


def _balance(facts: TaskFacts) -> Table:
    """Return the labels with the most rows first; the rest in one line."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("label", overflow="fold")
    table.add_column("train", justify="right")
    table.add_column("eval", justify="right")
    ranked = sorted(facts.condition.labels, key=lambda row: (-row.train, row.label))
    for row in ranked[:_LABELS]:
        table.add_row(Text(clip(shown(row.label), 40)), count(row.train), count(row.eval))
    if rest := ranked[_LABELS:]:
        least = min(row.train for row in rest)
        title = f"{plural(len(rest), 'more label')}, {count(least)} training rows at least"
        table.add_row(
            Text(title, style="dim"), count(sum(row.train for row in rest)), count(sum(row.eval for row in rest))
        )
    return table
