"""lm-evaluation-harness on the same module: what it's asked, and the batch size that suits it best."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.scoring_rows import Work

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

    from baselines.local_model import LocalModel

BATCHES = (1, 4, 16, 64)
TRIAL = 64
"""Requests of a trial, at most: a batch size is tried on the longest of one row's."""
WORSE = 0.85
"""Larger batches aren't tried once one is this much slower than the best so far."""


class Peer:
    """The harness's ``hf`` backend around the module of ``engine``."""

    def __init__(self, engine: "LocalModel") -> None:
        from lm_eval.models.huggingface import HFLM

        self._engine = engine
        self._model = HFLM(pretrained=engine.module, tokenizer=engine.tokenizer, batch_size=1)

    def answer(self, work: Work, rows: Sequence[int], batch: int) -> list[Any]:
        """Answer ``rows``: (label, log-likelihoods) or (text, ()) for each."""
        self._model.batch_size_per_gpu = batch
        prompts = [self._engine.render(work.prompts[row]) for row in rows]
        if work.limits is None:
            asked = [
                self._instance("loglikelihood", (prompt, f" {label}")) for prompt in prompts for label in work.labels
            ]
            sums = [float(total) for total, _ in self._model.loglikelihood(asked, disable_tqdm=True)]
            size = len(work.labels)
            scores = [tuple(sums[place * size : (place + 1) * size]) for place in range(len(rows))]
            return [(work.labels[max(range(size), key=row.__getitem__)], row) for row in scores]
        stops = list(self._engine._encoding.stops)
        settings = {"until": stops, "max_gen_toks": work.limits.max_new_tokens, "do_sample": False}
        asked = [self._instance("generate_until", (prompt, settings)) for prompt in prompts]
        return [(text.strip(), ()) for text in self._model.generate_until(asked, disable_tqdm=True)]

    def best_batch(self, work: Work) -> int:
        """Return the batch size with the most requests a second on a few requests."""
        speeds: dict[int, float] = {}
        for batch in BATCHES:
            count = min(TRIAL, 2 * batch) if work.limits is None else min(TRIAL, max(batch, 4))
            started = time.perf_counter()
            self._trial(work, count, batch)
            speeds[batch] = count / (time.perf_counter() - started)
            if speeds[batch] < WORSE * max(speeds.values()):
                break
        return max(speeds, key=speeds.__getitem__)

    def _trial(self, work: Work, count: int, batch: int) -> None:
        if work.limits is not None:
            self.answer(work, range(min(count, len(work.prompts))), batch)
            return
        self._model.batch_size_per_gpu = batch
        prompt = self._engine.render(work.prompts[0])
        labels = [work.labels[place % len(work.labels)] for place in range(count)]
        self._model.loglikelihood(
            [self._instance("loglikelihood", (prompt, f" {label}")) for label in labels], disable_tqdm=True
        )

    def _instance(self, kind: str, arguments: tuple[Any, ...]) -> "Instance":
        from lm_eval.api.instance import Instance

        return Instance(kind, {}, arguments, 0)
