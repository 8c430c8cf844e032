"""What the verdict says in one line, and what to do next: every figure in a sentence is computed from the results."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from reports.repays import OPENINGS, opening, repays
from reports.winner import deciding, winner
from reports.wording import asked, clip, difference_range, level, number, percent, points, score_range

UNREAD_SHARE = 0.2
"""Above this share of answers that can't be read an arm is warned of. Our judgement."""
_CODE = re.compile(r"`([^`]+)`")
_LONGEST = 60  # characters of a name in a sentence


@dataclass(frozen=True)
class Sentence:
    """A sentence with names from the data in it: plain for a terminal, isolated elements in HTML.

    ``template`` is ours, with ``{key}`` where ``names[key]`` stands; what is to be typed is between backticks.
    """

    template: str
    names: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the plain text."""
        return self.template.format(**{key: clip(name, _LONGEST) for key, name in self.names.items()})

    @property
    def parts(self) -> "tuple[Sentence, Sentence | None]":
        """Return the sentence before its first colon, and what follows if there is one: a page can set them apart."""
        answer, _, rest = self.template.partition(": ")
        return Sentence(answer, self.names), Sentence(rest, self.names) if rest else None

    @property
    def begun(self) -> "Sentence":
        """Return the sentence with a capital letter, unless a name begins it."""
        return Sentence(self.template[:1].upper() + self.template[1:], self.names)

    def __html__(self) -> str:
        """Return the sentence as HTML; names are escaped, cut, and can't reorder what is around them."""
        names = {key: Markup("<bdi>{}</bdi>").format(clip(name, _LONGEST)) for key, name in self.names.items()}
        return Markup(_CODE.sub(r"<code>\1</code>", self.template)).format(**names)


def headline(results: Mapping[str, Any]) -> Sentence:
    """Return the verdict as one sentence: the best score without training, what training adds, and when it repays."""
    verdict = results["verdict"]
    outcome, gain = verdict["outcome"], verdict["gain"]
    if gain is None or verdict["best_trained"] is None or verdict["best_untrained"] is None:
        return Sentence(_without_gain(verdict, asked_to_train=_asked_to_train(results)))
    names = {"trained": deciding(verdict), "untrained": str(verdict["best_untrained"])}
    low, high, least = gain["low"], gain["high"], verdict["minimum_gain"]
    interval = f"{difference_range(low, high)}{other_level(verdict)}"
    gained = gain["difference"] >= 0
    wanted = f"the {asked(least)} asked for"
    tail = ""
    if outcome == "worth_it":
        tail = f", more than {wanted}"
    elif outcome == "not_worth_it" and gained and high <= least:
        tail = f", not more than {wanted}"
    elif outcome == "undecided" and low <= least < high:
        tail = f", which may be more or less than {wanted}" if gained else f", which doesn't rule out {wanted}"
    if abs(gain["difference"]) < 0.0005:
        effect = f"{{trained}} scores the same (difference {interval}){tail}"
    elif gained:
        effect = f"{{trained}} adds {points(gain['difference'])} ({interval}){tail}"
    else:
        effect = f"{{trained}} scores {points(-gain['difference'])} less (difference {interval}){tail}"
    worse = high < 0
    repaid = "" if worse else repays(results["economics"], names["trained"], names["untrained"], outcome)
    answer = opening(outcome, results["economics"], worse=worse)
    first = f"{answer}: {_alone(results, names['untrained'])}{effect}"
    return Sentence(f"{first}; {repaid}." if repaid else f"{first}.", names)


def _alone(results: Mapping[str, Any], untrained: str) -> str:
    """Return what the best arm without training scores, as a clause."""
    score = next((arm["score"] for arm in results["arms"] if arm["name"] == untrained), None)
    if not score or score["mean"] is None:
        return "against {untrained}, "
    if score["mean"] == 0:
        return "no arm without training scores above zero; "
    return f"{{untrained}} alone scores {percent(score['mean'])} ({score_range(score['low'], score['high'])}); "


def other_level(verdict: Mapping[str, Any]) -> str:
    """Return ``, 98.3% interval`` where the gain's confidence isn't the one asked for."""
    sure = verdict["gain"].get("confidence", verdict.get("confidence"))
    return "" if sure == verdict.get("confidence") else f", {level(sure)} interval"


def _asked_to_train(results: Mapping[str, Any]) -> bool:
    return any(arm["trained"] and arm["status"] != "skipped" for arm in results["arms"])


def _without_gain(verdict: Mapping[str, Any], *, asked_to_train: bool) -> str:
    """Return the headline of a run that can't compare training with anything."""
    if verdict["best_trained"] is None and not asked_to_train:
        return "Undecided: this run has no arm that trains, so whether training is worth it wasn't asked."
    answer = OPENINGS[verdict["outcome"]]
    if verdict["best_trained"] is None:
        return f"{answer}: no trained arm has a score, so the gain from training was not measured."
    if verdict["best_untrained"] is None:
        return f"{answer}: no arm without training has a score, so there is nothing to compare training with."
    return f"{answer}: training and the best arm without it have no row in common to compare."


def next_steps(results: Mapping[str, Any]) -> list[Sentence]:
    """Return what to do now and what would change the verdict, one sentence each."""
    verdict = results["verdict"]
    gain, least = verdict["gain"], verdict["minimum_gain"]
    steps = []
    if advised := advice(results):
        steps.append(advised)
    if across := across_models(results):
        steps.append(across)
    if verdict["outcome"] == "worth_it" and not _asked_as_it_is(results):
        steps.append(
            Sentence(
                "No arm that prompts or retrieves has a score here: whether training is worth it beside them isn't "
                "known. Run them too: `zero_shot`, `few_shot`, `rag`."
            )
        )
    if gain and verdict["outcome"] == "not_worth_it" and gain["high"] <= least:
        change = f"other training, data or base model; as trained here, it adds {points(gain['high'])} at most"
        if gain["high"] < 0:
            change = f"other training, data or base model; as trained here, it loses {points(-gain['high'])} at least"
        steps.append(
            Sentence(f"What would change this: {change}. `tuneworthy run TASK --curve` tells what more labels bring.")
        )
    if gain and verdict["outcome"] == "worth_it":
        least_sure = f"if you asked for more than {points(gain['low'])}, this run would no longer prove it"
        steps.append(Sentence(f"What would change this: {least_sure}."))
    if gain and verdict["outcome"] == "undecided":
        steps += _rows_sentence(results)
    steps += _unread(results)
    for status, said, do in (
        ("failed", "Without a score", "Mend the cause below, then `tuneworthy run --resume RUN`"),
        ("partial", "Not finished", "Go on with `tuneworthy run --resume RUN`"),
    ):
        left = [arm["name"] for arm in results["arms"] if arm["status"] == status]
        if left:
            keys = {f"arm{index}": name for index, name in enumerate(left)}
            listed = ", ".join(f"{{{key}}}" for key in keys)
            steps.append(Sentence(f"{said}: {listed}. {do}.", keys))
    return steps


def _asked_as_it_is(results: Mapping[str, Any]) -> bool:
    """Tell whether a model was asked without training: the alternative that training has to beat."""
    return any(arm["status"] == "done" and arm["family"] in ("prompt", "rag") for arm in results["arms"])


def across_models(results: Mapping[str, Any]) -> Sentence | None:
    """Return that the two arms of the verdict ran on different models, where they did."""
    verdict = results["verdict"]
    models = {arm["name"]: arm.get("model") for arm in results["arms"]}
    trained = deciding(verdict)
    untrained = verdict["best_untrained"]
    one, other = models.get(trained), models.get(untrained)
    if one is None or other is None or one == other:
        return None
    names = {"trained": str(trained), "one": one, "untrained": str(untrained), "other": other}
    return Sentence("This compares models as well as approaches: {trained} is {one}, {untrained} is {other}.", names)


def _unread(results: Mapping[str, Any]) -> list[Sentence]:
    """Warn of arms that mostly answered what can't be read as an answer: their scores tell little of the approach."""
    warned = []
    for arm in results["arms"]:
        asked = results["task"]["eval_rows"] * max(1, len(arm["per_seed"]))
        unread = arm.get("unread", 0)
        if arm["status"] == "done" and unread > UNREAD_SHARE * asked:
            what = "label" if results["task"]["answer"] == "label" else "answer"
            told = (
                f"No {what} could be read from {number(unread)} of {number(asked)} answers of {{arm}}, scored as wrong"
            )
            mend = "list the labels in the instruction" if what == "label" else "say in the instruction how to answer"
            do = f"{mend}, or raise `generate.max_new_tokens`, before you trust what is said of it"
            warned.append(Sentence(f"{told}: {do}.", {"arm": arm["name"]}))
    return warned


def advice(results: Mapping[str, Any]) -> Sentence | None:
    """Return which arm to use and why that one, or nothing when no arm has a score."""
    verdict, found = results["verdict"], winner(results)
    best, cheapest, outcome = verdict["best_arm"], verdict["cheapest_within_noise"], verdict["outcome"]
    if found is None:
        nothing = "No arm scores above zero on these rows: none is of use as it stands."
        return Sentence(nothing) if best else None
    names = {"arm": found.arm, "best": best}
    if outcome == "worth_it" and verdict["best_trained"]:
        price = " if its gain is worth its price to you" if results["economics"]["decision"] == "not_repaid" else ""
        again = "before it replaces anything, score it once more on rows that played no part here"
        return Sentence(f"Use {{arm}}{price}: {again}.", names)
    advised = "Until more is known, use {arm}" if outcome == "undecided" else "Use {arm}"
    if found.arm == best and verdict["within_noise"] == [best]:
        return Sentence(f"{advised}: it has the best score, and no other arm is within noise of it.", names)
    if found.arm == cheapest == best:
        return Sentence(f"{advised}: it is the best arm and the simplest within noise.", names)
    if found.arm == cheapest:
        return Sentence(f"{advised}: it is the simplest arm that these rows can't tell from the best, {{best}}.", names)
    if found.arm == best:
        return Sentence(f"{advised}: it has the best score; these rows are too few to tell more.", names)
    return Sentence(f"{advised}: no trained arm is shown to gain over it what was asked for.", names)


def standing(results: Mapping[str, Any]) -> Sentence | None:
    """Return the arms that the rows can't tell from the best, the simplest of them and the cheapest."""
    verdict = results["verdict"]
    best, simplest = verdict["best_arm"], verdict["cheapest_within_noise"]
    if not best:
        return None
    near = [name for name in verdict["within_noise"] if name != best]
    names = {f"near{place}": name for place, name in enumerate(near)} | {"best": best, "simplest": str(simplest)}
    if not near:
        return Sentence("{best} has the best score, and no other arm is within noise of it.", names)
    listed = ", ".join(f"{{near{place}}}" for place in range(len(near)))
    told = f"{{best}} has the best score; within noise of it: {listed}. The simplest of these is {{simplest}}"
    costs = {arm["name"]: arm["per_1000_requests"] for arm in results["economics"]["arms"]}
    priced = [name for name in (best, *near) if name in costs]
    if len(priced) > 1:
        names |= {"cheap": min(priced, key=lambda name: (costs[name], name != simplest))}
        told += (
            "; the cheapest to ask, at these prices, is {cheap}"
            if names["cheap"] != simplest
            else ", which is the cheapest to ask too"
        )
    return Sentence(f"{told}.", names)


def _rows_sentence(results: Mapping[str, Any]) -> list[Sentence]:
    """Return how many rows or seeds would decide, or nothing where that can't be said."""
    rows, verdict = results["task"]["eval_rows"], results["verdict"]
    needed = verdict["needed"]
    if needed is None:
        why = "too few rows, groups or documents have a score in both arms"
        return [Sentence(f"How many rows would decide can't be told from these: {why}.")]
    ways = []
    if needed["rows"] is not None:
        total = max(needed["rows"], rows + 1)
        digits = 10 ** max(0, math.floor(math.log10(total)) - 1)
        ways.append(f"about {number(math.ceil(total / digits) * digits)} eval rows instead of {number(rows)}")
    if needed["seeds"] is not None:
        ways.append(f"{number(needed['seeds'])} training seeds")
    if not ways:
        close = f"The difference lies so close to the {asked(verdict['minimum_gain'])} asked for that"
        return [Sentence(f"{close} no number of eval rows would decide; decide by cost.")]
    return [
        Sentence(f"What would decide, in four of five tries: {' or '.join(ways)}, if the difference stays what it is.")
    ]
