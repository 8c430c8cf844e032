"""The oracle-context test: whether the answer is right once the right passage stands in the prompt.

It tells missing knowledge, which retrieval mends, from missing skill: the passage is put where retrieval would put
it, alone, so that finding it plays no part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from advisor.known_passages import KnownPassages
from baselines.answering import Facts
from baselines.prompt_arms import PromptArm, Question
from baselines.rag_arms import FROM_PASSAGES
from baselines.selection import Candidate, candidates
from evals.example import Document, Example, Passage, Prompt
from evals.protocols import ArmContext, Family, Retrieved
from evals.stats import Difference, Estimate, PairedSample, ScoreSample


@dataclass(frozen=True)
class OracleTest:
    """Scores (0…1) on the rows whose right passage is known, with it in the prompt and without.

    Of the ``asked`` rows the passage is known of ``rows``: ``named`` of them name their document, the others'
    passage was found by their answer's words. ``difference`` is with minus without.
    """

    asked: int
    rows: int
    named: int
    without: Estimate
    with_passage: Estimate
    difference: Difference


class WithPassage(PromptArm):
    """The prompt of ``rag`` with one passage, the right one; a row that it's too long for is an error."""

    name: ClassVar[str] = "oracle"
    family: ClassVar[Family] = "rag"
    addition: ClassVar[str] = FROM_PASSAGES

    def __init__(self, context: ArmContext, passages: Mapping[str, Passage]) -> None:
        super().__init__(context)
        self._passages = passages

    def _options(self) -> list[Candidate]:
        """Choose nothing: the passages are known of the asked rows alone."""
        return candidates(self.task, shots=False, passages=False)[:1]

    def _prepare(self, train: Sequence[Example], documents: Sequence[Document]) -> Facts:
        return {"passages": 1}

    def _ask(self, examples: Sequence[Example]) -> list[Question]:
        return [self._question(example.input, self._passages[example.id]) for example in examples]

    def _question(self, asked: str, passage: Passage) -> Question:
        found = Retrieved(passage.id, passage.document_id, passage.score)
        return Question(Prompt(self.instruction, asked, passages=(passage,)), (found,))


def compare(
    known: KnownPassages,
    without: Mapping[str, float | None],
    with_passage: Mapping[str, float | None],
    *,
    seed: int,
    confidence: float,
) -> OracleTest:
    """Return the test of the rows in ``known`` from both scores by row id; ``without`` holds every row asked.

    None is an error.
    """
    rows = list(known.passages)
    before, after = [without[row] for row in rows], [with_passage[row] for row in rows]
    return OracleTest(
        asked=len(without),
        rows=len(rows),
        named=len(known.named),
        without=ScoreSample(before, seed).estimate(confidence),
        with_passage=ScoreSample(after, seed).estimate(confidence),
        difference=PairedSample(after, before, seed).difference(confidence),
    )
