"""Results and predictions of runs that never were, in the shape of results.json, for the report's tests."""

import dataclasses
import random
import zlib
from dataclasses import dataclass

from evals.learning import diagnose
from evals.protocols import LossPoint, Retrieved, TrainingPlan
from evals.scored import ScoredPrediction
from evals.selection import Selection, Trial

TEAMS = ("billing", "delivery", "installation", "returns", "warranty", "other")
WORDS = [
    "invoice",
    "pump",
    "order",
    "heater",
    "late",
    "refund",
    "meter",
    "technician",
    "contract",
    "leak",
    "parcel",
    "address",
    "noise",
    "valve",
    "warranty",
    "window",
    "quote",
    "payment",
    "boiler",
    "letter",
    "missing",
    "twice",
    "cold",
    "delivered",
    "number",
    "account",
]


PAYLOADS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=1</script>",
    "<svg onload=window.pwned=1><animate onbegin=window.pwned=1>",
    "javascript:window.pwned=1",
    "</style><style>*{display:none}</style>",
    "</title><iframe src=https://example.com></iframe>",
    "</textarea><link rel=stylesheet href=//example.com/x.css>",
    "<!--",
    "]]><base href=https://example.com/>",
    "\u202eevil\u2066",
    "{{7*7}}{% raw %}",
    "[red]bold[/red]",
    "$\\frac{$",
    "\x00\x1b[31m\x07",
    "\ud800",
    "\ufffe\ufeff",
    "A" * 500,
    "a\u0336" * 50,
    "\u2028\u2029",
    "&lt;b&gt;",
    "x' onfocus='window.pwned=1' autofocus='",
    "שלום <bdo dir=rtl>",
    "=HYPERLINK(1)",
    "\r\n\r\n",
)
"""What a hostile row, label or file name might hold."""


def hostile(turn):
    """Return a function that puts a payload before a text; over all turns every text gets every payload."""
    return lambda text: PAYLOADS[(zlib.crc32(text.encode("utf-8", "replace")) + turn) % len(PAYLOADS)] + text


@dataclass(frozen=True)
class Spec:
    """One arm of a made-up run: how often it's right, how often it errs, and how it ended."""

    name: str
    family: str
    right: float
    errors: float = 0.0
    status: str = "done"
    reason: str | None = None


ARMS = (
    Spec("majority", "classic", 0.21),
    Spec("nearest", "classic", 0.62),
    Spec("logistic", "classic", 0.71),
    Spec("zero_shot", "prompt", 0.55),
    Spec("few_shot", "prompt", 0.74, errors=0.02),
    Spec("rag", "rag", 0.79),
    Spec("qlora", "tune", 0.90),
    Spec(
        "full", "tune", 0.0, status="failed", reason="out of memory after 3 steps (needs about 21 GB, 16 GB are there)"
    ),
    Spec("scratch", "tune", 0.0, status="skipped", reason="it was not named in --arms"),
)


def make_run(
    specs=ARMS,
    *,
    rows=200,
    labels=TEAMS,
    metric="accuracy",
    seeds=1,
    documents=0,
    verdict=None,
    text=lambda s: s,
    seed=0,
):
    """Return (results, predictions); ``text`` is applied to every string that comes from data."""
    draw = random.Random(seed)
    graded = metric in ("token_f1", "rouge_l", "json_f1")
    inputs = [text(f"{' '.join(draw.choices(WORDS, k=draw.randint(6, 24))).capitalize()}.") for _ in range(rows)]
    names = [text(label) for label in labels]
    targets = [draw.choice(names) if names else text(" ".join(draw.choices(WORDS, k=3))) for _ in range(rows)]
    predictions = {}
    for spec in specs:
        if spec.status in ("done", "partial"):
            made = [_answer(draw, spec, i, inputs[i], targets[i], names, graded, documents) for i in range(rows)]
            predictions[text(spec.name)] = [_with_text(row, text) for row in made]
    arms = [_arm(draw, spec, predictions.get(text(spec.name), []), metric, seeds, documents, text) for spec in specs]
    comparisons = _comparisons(arms, predictions)
    task = {
        "name": text("ticket-coding"),
        "instruction": text(
            "Route the customer's message to the team that handles it. Answer with the team's name only."
        ),
        "answer": "label" if labels else "text",
        "metric": metric,
        "extraction": "lenient",
        "labels": names,
        "train_rows": 600,
        "eval_rows": rows,
        "eval_clusters": rows,
        "documents": documents,
        "hashes": {"train": "3f" * 32, "eval": "9a" * 32},
        "notes": [text("no eval file: 200 of 800 training rows (25%, stratified, seed 0) were kept as eval rows")],
        "minimum_gain": 0.02,
        "confidence": 0.95,
        "requests_per_month": 12000,
        "horizon_months": 12,
        "embedder": "builtin",
    }
    results = {
        "schema": 1,
        "created": "2026-01-05T09:30:00+00:00",
        "version": "0.1.0",
        "command": text("tuneworthy run examples/ticket-coding --arms all"),
        "task": task,
        "model": {"name": text("builtin"), "fingerprint": "c0ffee" * 10, "context": 2048},
        "embedder": {"name": "builtin", "fingerprint": "beef" * 16, "context": None},
        "arms": arms,
        "comparisons": comparisons,
        "verdict": _verdict(arms, comparisons) | (verdict or {}),
        "versions": {"python": "3.11.2", "torch": "2.13.0", "transformers": "5.23.0"},
        "machine": {"cpu": text("2 cores"), "system": "Linux"},
        "seeds": seeds,
        "settings": {"name": text("ticket-coding"), "seeds": seeds, "decision": {"minimum_gain": 0.02}},
        "limit": None,
        "per_label": _per_label(predictions, names, arms) if labels else None,
        "forgetting": {
            "set": text("the built-in abilities"),
            "questions": 64,
            "before": 0.9,
            "arms": [
                {
                    "name": arm["name"],
                    "after": 0.4,
                    "difference": -0.5,
                    "low": -0.62,
                    "high": -0.37,
                    "n": 64,
                    "dropped": 0,
                    "method": "Tango's paired interval",
                    "failure": None,
                    "kinds": [{"kind": text("read one passage"), "questions": 8, "before": 1.0, "after": 0.5}],
                }
                for arm in arms
                if arm["family"] == "tune" and arm["status"] == "done"
            ],
        },
        "curve": _curves(arms),
        "economics": _economics(arms, _verdict(arms, comparisons) | (verdict or {})),
        "detectable": {"sentence": f"{rows} eval rows show a difference of 9 points between two arms."},
        "data": {
            "input_words": {"median": 14.0, "p95": 23.0},
            "answer_words": {"median": 1.0, "p95": 2.0},
            "document_words": {"median": 180.0, "p95": 420.0} if documents else None,
            "labels": [
                {"label": name, "train": 100 + place, "eval": targets.count(name)} for place, name in enumerate(names)
            ],
            "repeated": 7,
            "contradictory": 2,
        },
        "leakage": [
            {
                "kind": "near_duplicates",
                "count": 2,
                "rows": rows,
                "share": 2 / rows,
                "pairs": [[text("t1"), text("row 7")]],
                "allowed": 0.01,
                "passed": False,
            }
        ],
    }
    return results, predictions


def make_full_run(text=lambda s: s):
    """Return (results, predictions) of three seeds in which every part of a report has something to say."""
    results, predictions = make_run(rows=120, seeds=3, documents=30, text=text)
    results["advice"] = {
        "recommended": "tune",
        "probability": 0.72,
        "agreed": True,
        "same_data": False,
        "reason": text("It expected training to be worth it, and the run found that it is."),
    }
    economics = results["economics"]
    requests = {"low": 1.2e6, "middle": 2.4e6, "high": None}
    economics["break_even"] = [
        {"trained": economics["payback"]["trained"], "against": arm["name"], "status": "no", "requests": requests}
        | {"saving_per_request": 0.0022, "once": 1440.02, "per_month": 348.0}
        for arm in results["arms"]
        if arm["status"] == "done" and not arm["trained"]
    ]
    taken = {"requests": 1320, "retries": 4, "failed": 1, "prompt_tokens": 61_000, "completion_tokens": 4_100}
    results["models"] = {text("big"): {"name": text("an endpoint's model"), "fingerprint": "ab" * 32, "context": 32768}}
    results["spending"] = {"currency": "USD", "models": {text("big"): taken | {"cached_tokens": 9_000, "cost": 0.31}}}
    for arm in results["arms"]:
        if arm["trained"] and arm["status"] == "done":
            arm["wrong_from_train"] = arm["wrong"] = 12
        elif arm["score"]:
            arm["wrong_from_train"] = 0
    return results, predictions


def _answer(draw, spec, index, text, target, labels, graded, documents):
    score = None
    error = None
    raw = target
    if draw.random() < spec.errors:
        error, raw = f"the answer is longer than {draw.choice((64, 128))} tokens", ""
    else:
        score = 1.0 if draw.random() < spec.right else 0.0
        if score == 0.0:
            raw = draw.choice([label for label in labels if label != target] or ["something else"])
        if graded and draw.random() < 0.3:
            score, raw = round(draw.uniform(0.2, 0.8), 3), f"{target} and more"
        elif spec.family != "classic" and draw.random() < 0.1:
            raw = f"Answer: {raw}"
    shots = "".join(f"Input: {w} {w}\nOutput: billing\n\n" for w in WORDS[:8]) if spec.name == "few_shot" else ""
    prompt = "" if spec.family == "classic" else f"Route the message.\n\n{shots}Input: {text}\nOutput:"
    found = tuple(Retrieved(f"doc-{index + k}#0", f"doc-{index + k}", 0.9 - k / 10) for k in range(3))
    return ScoredPrediction(
        id=f"t{index:05}",
        input=text,
        targets=(target,),
        prompt=prompt,
        raw=raw,
        extracted=None if error else raw.removeprefix("Answer: "),
        score=score,
        score_lenient=score,
        score_strict=score,
        prompt_tokens=len(prompt) // 4,
        completion_tokens=0 if spec.family == "classic" else 3,
        ms=draw.uniform(1, 40),
        retrieved=found if documents and spec.family == "rag" else (),
        doc_id=f"doc-{index}" if documents else None,
        error=error,
    )


def _with_text(row, text):
    changed = {name: getattr(row, name) and text(getattr(row, name)) for name in ("id", "prompt", "error", "doc_id")}
    return dataclasses.replace(row, **changed)


def _arm(draw, spec, rows, metric, seeds, documents, text):
    scores = [row.score for row in rows if row.score is not None]
    done = spec.status == "done"
    mean = sum(scores) / len(scores) if scores else 0.0
    half = max(1.96 * (mean * (1 - mean) / len(scores)) ** 0.5, 0.005) if scores else 0.0
    errors = sum(row.error is not None for row in rows)
    trained = spec.family == "tune"
    many = seeds if spec.name in ("few_shot", "qlora") else 1
    kinds = {row.error: sum(other.error == row.error for other in rows) for row in rows if row.error}
    return {
        "name": text(spec.name),
        "family": spec.family,
        "trained": trained,
        "status": spec.status,
        "reason": spec.reason and text(spec.reason),
        "score": {"mean": mean, "low": max(0, mean - half), "high": min(1, mean + half), "n": len(scores)}
        if done
        else None,
        "score_lenient": mean if done else None,
        "score_strict": max(0.0, mean - 0.03) if done else None,
        "metrics": {metric: mean} if done else {},
        "by_mean": mean - 0.01 if done and metric == "accuracy" and spec.family != "classic" else None,
        "choice_rule": "sum" if metric == "accuracy" and spec.family != "classic" else None,
        "per_seed": [{"seed": s, "score": mean, "n": len(scores), "errors": errors} for s in range(many)]
        if done
        else [],
        "errors": errors,
        "wrong": sum(row.score is not None and row.score < 1 for row in rows),
        "wrong_from_train": None,
        "error_kinds": [{"what": what, "count": count} for what, count in kinds.items()],
        "cost": {
            "fit_seconds": 412.0 if trained else 0.4,
            "train_tokens": 231_400 if trained else 0,
            "prompt_tokens": sum(row.prompt_tokens for row in rows),
            "completion_tokens": sum(row.completion_tokens for row in rows),
            "prompt_tokens_mean": sum(row.prompt_tokens for row in rows) / max(1, len(rows)),
            "completion_tokens_mean": sum(row.completion_tokens for row in rows) / max(1, len(rows)),
            "shared_prefix": 0.4,
            "artefact_mb": 11.5 if trained else None,
            "single": {"rows": 16, "cold_ms_p50": 41.0, "cold_ms_p95": 60.0, "warm_ms_p50": 11.0, "warm_ms_p95": 19.0},
            "latency_ms_p50": draw.uniform(2, 30),
            "latency_ms_p95": draw.uniform(30, 90),
            "peak_memory_mb": 1240.0 if trained else 610.0,
            "answer_seconds": 3.1,
        }
        if done
        else _no_cost(spec),
        "retrieval": {"k": 3, "recall": {"1": 0.61, "2": 0.74, "3": 0.8}, "mrr": 0.69, "n": len(rows)}
        if documents and spec.family == "rag" and done
        else None,
        "fit": [_fit(draw, s, trained, text) | _selection(spec, text) for s in range(many)] if done else [],
    }


def _no_cost(spec):
    """What an arm that failed has cost; one that was skipped has none."""
    if spec.status == "skipped":
        return None
    nothing = dict.fromkeys(
        ("prompt_tokens_mean", "completion_tokens_mean", "latency_ms_p50", "latency_ms_p95", "peak_memory_mb")
    )
    spent = {"fit_seconds": 0.0, "train_tokens": 0, "prompt_tokens": 0, "completion_tokens": 0, "answer_seconds": None}
    return spent | nothing


def _fit(draw, seed, trained, text):
    losses = [LossPoint(0, 0.0, None, 2.3, 0.125)] if trained else []
    for step in range(1, 103) if trained else ():
        train, looked = 2.2 * 0.97**step + draw.uniform(0, 0.15), step % 17 == 0
        score = round(32 * min(0.9, step / 80)) / 32
        losses.append(
            LossPoint(step, step / 34, train, train + 0.1 if looked else None, score if looked else None),
        )
    looks = [point for point in losses if point.step and point.validation is not None]
    best = min(looks, key=lambda point: point.validation, default=None)
    plan = TrainingPlan(16, 0.0002, 6, 0.0, 3.0, None, 60, 32)
    return {
        "seed": seed,
        "seconds": 412.0 if trained else 0.4,
        "train_rows": 540 if trained else 600,
        "train_tokens": 231_400 if trained else 0,
        "steps": 102 if trained else 0,
        "steps_per_epoch": 34 if trained else 0,
        "epochs": 3.0 if trained else 0.0,
        "best_step": best.step if trained else None,
        "peak_memory_mb": 1240.0 if trained else None,
        "losses": [dataclasses.asdict(point) for point in losses],
        "plan": dataclasses.asdict(plan) if trained else None,
        "learning": dataclasses.asdict(diagnose(losses)) if trained else None,
        "facts": {"learning rate": 0.0002, text("schedule"): text("cosine with 6 warm-up steps"), "rank": 16}
        if trained
        else {text("selection"): text("balanced")},
    }


def _selection(spec, text):
    """What the few-shot arm chose among on held-out training rows; other arms had no choice."""
    if spec.name != "few_shot":
        return {}
    tried = (
        Trial(text("instruction 1, 2 shots"), 0.671875, 0, 211.4),
        Trial(text("instruction 2, 8 shots"), 0.734375, 0, 640.2),
        Trial(text("instruction 2, 32 shots"), None, 24, 2011.0),
    )
    return {"selection": dataclasses.asdict(Selection(tried, 1, tuple(f"v{n}" for n in range(64))))}


def _comparisons(arms, predictions):
    done = [arm["name"] for arm in arms if arm["score"]]
    pairs = []
    for place, a in enumerate(done):
        for b in done[place + 1 :]:
            both = [
                x.score - y.score
                for x, y in zip(predictions[a], predictions[b], strict=True)
                if x.score is not None and y.score is not None
            ]
            mean = sum(both) / max(1, len(both))
            spread = (sum((d - mean) ** 2 for d in both) / max(1, len(both))) ** 0.5
            half = max(1.96 * spread / max(1, len(both)) ** 0.5, 0.004)
            method = "Tango's paired interval, exact McNemar test"
            pair = {"a": a, "b": b, "difference": mean, "low": mean - half, "high": mean + half}
            pairs.append(
                pair
                | {
                    "p_value": 0.0004 if abs(mean) > half else 0.31,
                    "p_holm": 0.002 if abs(mean) > half else 1.0,
                    "method": method,
                    "n": len(both),
                }
            )
    return pairs


def _verdict(arms, comparisons):
    scored = sorted((arm for arm in arms if arm["score"]), key=lambda arm: -arm["score"]["mean"])
    trained = next((arm["name"] for arm in scored if arm["trained"]), None)
    untrained = next((arm["name"] for arm in scored if not arm["trained"]), None)
    best = scored[0]["name"] if scored else None
    gain = None
    for pair in comparisons:
        if (pair["a"], pair["b"]) == (untrained, trained):
            gain = {"difference": -pair["difference"], "low": -pair["high"], "high": -pair["low"], "confidence": 0.975}
    outcome = "undecided"
    if gain:
        outcome = "worth_it" if gain["low"] > 0.02 else "not_worth_it" if gain["high"] <= 0.02 else "undecided"
    within = [best] if best else []
    for pair in comparisons:
        if best in (pair["a"], pair["b"]) and pair["low"] <= 0 <= pair["high"]:
            within.append(pair["a"] if pair["b"] == best else pair["b"])
    order = ["classic", "prompt", "rag", "tune"]
    family = {arm["name"]: order.index(arm["family"]) for arm in arms if arm["family"]}
    return {
        "outcome": outcome,
        "best_arm": best,
        "cheapest_within_noise": min(within, key=family.__getitem__) if within else None,
        "reason": f"Made up for a test: {trained} against {untrained}.",
        "best_trained": trained,
        "best_untrained": untrained,
        "gain": gain,
        "minimum_gain": 0.02,
        "confidence": 0.95,
        "within_noise": within,
        "needed": {"claim": "worth_it", "rows": 160, "seeds": None, "power": 0.8} if outcome == "undecided" else None,
    }


def _curves(arms):
    """A learning curve of the first trained arm, and a curve over shots of the first prompted one."""
    spans = {"middle": 0.021, "low": 0.003, "high": 0.05}
    score = {"mean": 0.7, "low": 0.6, "high": 0.8}
    points = [{"value": value, "status": "done", "score": score} for value in (75, 150, 300, 600)]
    drawn = [{"rows": rows, "middle": 0.7, "low": 0.6, "high": 0.8} for rows in (75, 150, 300, 600, 1200, 2400)]
    found = []
    for arm in arms:
        if arm["status"] != "done" or arm["family"] not in ("tune", "prompt"):
            continue
        if arm["family"] == "tune":
            law = {"doubling": spans, "fourfold": spans, "fit": drawn, "reason": None}
            found.append({"arm": arm["name"], "axis": "labels", "own": 600, "points": points} | law)
        else:
            few = [{"value": value, "status": "done", "score": score} for value in (0, 1, 8)]
            few.append({"value": 16, "status": "cut", "score": None})
            gap = {"difference": 0.01, "low": -0.01, "high": 0.03}
            entry = {"arm": arm["name"], "axis": "shots", "own": 8, "points": few, "best": 1, "against_own": gap}
            found.append(entry)
    return found[:3]


def _economics(arms, verdict):
    """Costs as ``evals.economics`` gives them: a trained arm is dearer to make and cheaper to use."""
    done = [arm for arm in arms if arm["status"] == "done"]
    trained = (verdict["gain"] or {}).get("trained") or verdict["best_trained"]
    pair = verdict["gain"] is not None
    return {
        "date": "2026-11",
        "currency": "USD",
        "example": True,
        "priced_by": "tokens",
        "machine": "CPU",
        "requests_per_month": 12000,
        "horizon_months": 12,
        "arms": [
            {
                "name": arm["name"],
                "per_1000_requests": {"classic": 0.01, "prompt": 1.9, "rag": 2.4, "tune": 0.2}[arm["family"]],
                "input_tokens": 500,
                "prefix_tokens": 200,
                "output_tokens": 9,
                "labelling": 1440.0 if arm["family"] in ("tune", "classic") else 0.0,
                "training": 0.02,
                "one_off": 1440.02 if arm["family"] in ("tune", "classic") else 0.0,
                "per_month": 348.0 if arm["family"] == "tune" else 0.0,
                "fixed": 5616.0 if arm["family"] == "tune" else 0.0,
            }
            for arm in done
        ],
        "break_even": [],
        "payback": {
            "status": "no" if pair else "unknown",
            "trained": trained if pair else None,
            "against": verdict["best_untrained"] if pair else None,
            "requests": {"low": 1.2e6, "middle": 2.4e6, "high": 4.8e6} if pair else None,
            "months": {"low": 100.0, "middle": 200.0, "high": 400.0} if pair else None,
        },
        "decision": {"worth_it": "not_repaid"}.get(verdict["outcome"], verdict["outcome"]),
        "assumptions": [{"key": "hosted.input", "value": 1.0, "origin": "example prices"}],
    }


def _per_label(predictions, names, arms):
    seeds = {arm["name"]: len(arm["per_seed"]) or 1 for arm in arms}
    counts = {}
    for arm, rows in predictions.items():
        counts[arm] = {
            label: {
                "n": seeds[arm] * sum(row.targets[0] == label and row.score is not None for row in rows),
                "correct": seeds[arm] * sum(row.targets[0] == label and row.score == 1 for row in rows),
            }
            for label in names
        }
    return counts
