"""What a run can't say and what to heed before its winner is used, and the papers behind its figures.

Each limit stands there only where it holds for the run at hand, with the run's own figures.
"""

from collections.abc import Mapping
from typing import Any

from reports.sentences import Sentence
from reports.wording import count, metric_name, plural, upperfirst

_BY_METHOD = {
    "Tango": "Wilson 1927 (JASA 22:209) and Tango 1998 (Statistics in Medicine 17:891) for intervals of 0/1 scores",
    "McNemar": "McNemar 1947 (Psychometrika 12:153) for their test",
    "bootstrap": "Efron 1987 (JASA 82:171) and Hesterberg 2015 (arXiv:1411.5279) for the bootstrap",
    "flip": "Phipson and Smyth 2010 (arXiv:1603.05766) for p-values by flipping signs",
}
_BY_METRIC = {
    "token_f1": "Rajpurkar et al. 2016 (arXiv:1606.05250) for token F1",
    "exact_match": "Rajpurkar et al. 2016 (arXiv:1606.05250) for the normal form of answers",
    "rouge_l": "Lin 2004 (Text Summarization Branches Out, 74–81) for ROUGE-L",
}


def sources(results: Mapping[str, Any]) -> list[str]:
    """Return the papers that the methods of this run come from."""
    task, pairs = results["task"], results["comparisons"]
    methods = " ".join(pair["method"] for pair in pairs if pair["difference"] is not None)
    found = [source for word, source in _BY_METHOD.items() if word.lower() in methods.lower()]
    if len(pairs) > 1:
        found.append("Holm 1979 (Scandinavian Journal of Statistics 6:65) for corrected p-values")
    if task["eval_clusters"] < task["eval_rows"]:
        found.append("Bell and McCaffrey 2002 (Survey Methodology 28:169) for rows that share a group")
    if results["seeds"] > 1:
        found.append("Cochran and Cox 1957 (Experimental Designs) for rows and seeds in one interval")
    if results["curve"]:
        found.append("Hestness et al. 2017 (arXiv:1712.00409) for the law of learning curves")
    found.append("Connor 1987 (Biometrics 43:207) for how many rows it takes")
    return [*found, *filter(None, [_BY_METRIC.get(task["metric"])])]


def limits(results: Mapping[str, Any]) -> list[Sentence]:
    """Return what to keep in mind of this run, one to three sentences each."""
    task = results["task"]
    trained = [arm for arm in results["arms"] if arm["trained"] and arm["status"] != "skipped"]
    rows = f"{plural(task['eval_rows'], 'eval row')} {'stands' if task['eval_rows'] == 1 else 'stand'}"
    told = [
        f"The {rows} for the requests to come only as far as they were drawn from the same source. On other input, or "
        "later, every arm may do better or worse.",
        f"{upperfirst(metric_name(task['metric']))} counts what it counts. Harm, tone, and a rare mistake that costs "
        "much are not in it: read the rows under “Where they differ”, above all those that training broke.",
        *small_model(results),
        *_graded(task["metric"]),
        *_leaked(results),
        *_chance(results, bool(trained)),
        *_privacy(results, bool(trained)),
    ]
    told.append(_prices(results["economics"]))
    told.append(
        "Evaluate before deployment, on rows that played no part in any choice, and afterwards on real requests at "
        "intervals: what people ask drifts, and a hosted model can change under its name."
    )
    return [Sentence(text.replace("{", "{{").replace("}", "}}")) for text in told if text]


def small_model(results: Mapping[str, Any]) -> list[str]:
    """Return that the built-in model answered, whose scores say nothing of a larger one's."""
    if (results["model"] or {}).get("name") != "builtin":
        return []
    return [
        "The built-in model answered, which is tiny and knows nothing of the world. Only a run with the model "
        "that you would use tells how well the approaches do with it: `--model`."
    ]


def _graded(metric: str) -> list[str]:
    if metric not in ("token_f1", "rouge_l", "json_f1", "macro_f1"):
        return []
    name = metric_name(metric)
    return [f"What the rows can show is computed as if answers were right or wrong; for {name} it's a rough guide."]


def _leaked(results: Mapping[str, Any]) -> list[str]:
    leaks = results["leakage"]
    if leaks is None:
        return ["Whether eval rows stand among the training rows or documents was not checked."]
    if any(leak["count"] for leak in leaks):
        return ["Some eval rows are not new to the arms (see “Data”), so scores may be better than they would be."]
    return []


def _chance(results: Mapping[str, Any], trained: bool) -> list[str]:
    if trained and results["seeds"] == 1:
        return [
            "The trained arms were trained once. Another seed would have trained to a somewhat different score, which "
            "no interval here holds; --seeds 3 puts it into them."
        ]
    return []


def _privacy(results: Mapping[str, Any], trained: bool) -> list[str]:
    rights = "Whether the rows and documents may be used so is for their licence and your contracts to say"
    told = [f"Rights: {rights}; nothing here has checked that."]
    if results.get("spending"):
        told.append(
            "Privacy: prompts, with the rows, worked examples and passages in them, went to the servers of this run's "
            "endpoints. Whether they may be sent there, your contracts with those who run them say."
        )
    if not trained:
        return told
    repeated = sum(arm.get("wrong_from_train") or 0 for arm in results["arms"] if arm["trained"])
    verb = "repeats" if repeated == 1 else "repeat"
    wrong = plural(repeated, "wrong answer")
    seen = f" In this run {wrong} of trained arms {verb} a training row's." if repeated else ""
    told.append(
        "Privacy: a tuned model can give away what it was trained on (Carlini et al. 2021, arXiv:2012.07805). Keep "
        f"personal data out of the training rows, or guard the model as you guard them.{seen}"
    )
    if results["forgetting"] is None:
        told.append("What training broke beside the task was not measured (see “What training broke”).")
    return told


def _prices(economics: Mapping[str, Any]) -> str:
    if economics["example"]:
        return "Costs are those of example prices; what is said of repayment changes with your own."
    given = sum(one["origin"] == "prices file" for one in economics["assumptions"])
    return (
        f"Costs rest on {count(given)} prices of yours and the example's others, as they were on {economics['date']}."
    )
