"""What an eval set can show: the smallest difference of two arms that it would tell from none.

By the sample size of McNemar's test (``evals.power``), at 80% power, for a share of rows on which exactly one of two
arms is right: an assumed one before anything is run, afterwards that of the two arms that decide. Where rows share a
``group``, fewer of them are independent: the truth lies between counting rows and counting groups, so both are given.
"""

from dataclasses import dataclass

from evals.disagreement import Disagreement
from evals.power import DISCORDANT, LEAST_GAIN, eval_rows_needed, gain_that_shows, in_points


@dataclass(frozen=True)
class Detectable:
    """``gain`` (0…1) is the least that ``rows`` show, ``gain_clustered`` what they show if only ``clusters`` counted.

    None: they show no gain at all. ``rows_needed`` would show the minimum gain. ``measured`` is where ``discordant``
    comes from, None where it's assumed.
    """

    rows: int
    clusters: int
    gain: float | None
    gain_clustered: float | None
    minimum_gain: float
    rows_needed: int | None
    confidence: float
    discordant: float = DISCORDANT
    measured: Disagreement | None = None

    @property
    def too_coarse(self) -> bool:
        """Whether even the better of the two is larger than the minimum gain."""
        return self.gain is None or self.gain > self.minimum_gain

    @property
    def sentence(self) -> str:
        """Say it in one sentence, and in a second what would be needed."""
        assumed = self._assumed()
        count = f"{self.rows:,} eval row{'' if self.rows == 1 else 's'}"
        if self.gain is None:
            return f"{count} can't tell any two arms apart, {assumed}."
        told = f"{count} show a difference of {in_points(self.gain)} between two arms in four of five tries, {assumed}."
        told += f" So training is proven worth it if it gains about {in_points(self.minimum_gain + self.gain)}"
        told += f": the {in_points(self.minimum_gain)} asked for and these."
        if self.clusters < self.rows:
            worst = "could show nothing" if self.gain_clustered is None else f"show {in_points(self.gain_clustered)}"
            told += f" They share {self.clusters:,} groups or documents; if only those counted, they {worst}."
        if self.too_coarse and self.rows_needed is not None:
            wanted = f"{_about(self.rows_needed):,} rows"
            told += f" To show a difference of {in_points(self.minimum_gain)} takes about {wanted}."
        return told

    def _assumed(self) -> str:
        if self.measured is None:
            return f"if the two disagree on {self.discordant:.0%} of them"
        pair = f"{self.measured.first} and {self.measured.second}"
        if not self.measured.share:
            return f"if the two disagree on {self.discordant:.0%} of them ({pair} disagreed on none here)"
        if self.measured.whole:
            return f"if the two disagree on as many of them as {pair} did here, {self.discordant:.1%}"
        return f"if the two differ from row to row as {pair} did here"


def _about(rows: int) -> int:
    """Return ``rows`` rounded up to two digits that count."""
    step: int = 10 ** max(len(str(rows)) - 2, 0)
    return -(-rows // step) * step


def detectable(
    rows: int, clusters: int, minimum_gain: float, confidence: float, measured: Disagreement | None = None
) -> Detectable:
    """Return what ``rows`` eval rows in ``clusters`` can show; ``measured`` takes the place of an assumption."""
    share = measured.share if measured is not None and measured.share else DISCORDANT
    needed = eval_rows_needed(minimum_gain, share, confidence=confidence) if minimum_gain >= LEAST_GAIN else None
    return Detectable(
        rows=rows,
        clusters=clusters,
        gain=gain_that_shows(rows, share, confidence=confidence),
        gain_clustered=gain_that_shows(clusters, share, confidence=confidence),
        minimum_gain=minimum_gain,
        rows_needed=needed,
        confidence=confidence,
        discordant=share,
        measured=measured,
    )
