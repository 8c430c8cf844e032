"""What a run's requests to endpoints have taken, kept in ``spending.jsonl`` request by request, and a limit on it.

Everything that was asked counts: answers, settings that were tried, single requests that were timed, answers that a
kill threw away. A run that is resumed goes on counting where it stopped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.errors import RunError, SpendingError
from evals.figure import figure
from evals.prices import Prices

FILE = "spending.jsonl"
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Taken:
    """What one request took; ``cached`` are those of its ``prompt`` tokens that the server had in its cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    retries: int = 0
    failed: bool = False


class Meter:
    """Counts what endpoints take, at the user's prices, and stops the run at ``limit`` (None: never)."""

    def __init__(self, prices: Prices, limit: float | None = None, file: Path | None = None) -> None:
        """Go on from what ``file`` holds. Raises ``RunError`` when it can't be read."""
        self._prices = prices
        self.limit = limit
        self._file = file
        self._mended = False
        self._waiting: list[str] = []  # lines from before there was a run folder
        self.cost = sum(self.price(alias, taken) for alias, taken in _read(file)) if file is not None else 0.0

    @property
    def folder(self) -> Path | None:
        """The run folder; None before there is one."""
        return None if self._file is None else self._file.parent

    def keep_in(self, run: Path) -> None:
        """Write into the run folder from now on."""
        self._file = run / FILE
        self._write("".join(self._waiting))
        self._waiting.clear()

    def add(self, alias: str | None, taken: Taken) -> None:
        """Count one request to the model that ``models:`` calls ``alias``."""
        self.cost += self.price(alias, taken)
        line: dict[str, Any] = {"model": alias, "prompt": taken.prompt, "completion": taken.completion}
        line |= {"cached": taken.cached, "retries": taken.retries, "failed": taken.failed}
        if self._file is None:
            self._waiting.append(json.dumps(line) + "\n")
        else:
            self._write(json.dumps(line) + "\n")

    def _write(self, lines: str) -> None:
        if lines and self._file is not None:
            if not self._mended:
                _cut_half_line(self._file)
                self._mended = True
            with self._file.open("a", encoding="utf-8") as file:
                file.write(lines)

    def check(self, alias: str | None, expected: Taken | None = None) -> None:
        """Raise ``SpendingError`` when the limit is reached, or would be by what is ``expected`` to come next."""
        if self.limit is None:
            return
        currency = self._prices.currency
        spent, limit = f"{self.cost:.4g} {currency}", f"{self.limit:g} {currency}"
        if self.cost >= self.limit:
            raise SpendingError(f"stopped at the limit of --max-cost: {spent} of {limit} are spent", self.cost)
        if expected is not None and (next_cost := self.price(alias, expected)) + self.cost > self.limit:
            more = f"the next batch may cost up to {next_cost:.4g}"
            told = f"stopped before the limit of --max-cost: {spent} of {limit} are spent, and {more}"
            raise SpendingError(told, self.cost, next_cost)

    def price(self, alias: str | None, taken: Taken) -> float:
        """Return what a request costs at the prices."""
        rates = self._prices.of_model(alias, "prompt")
        cached = min(taken.cached, taken.prompt)  # a server that tells more would pay us
        read = (taken.prompt - cached) * rates.input + cached * rates.cached_input
        return (read + taken.completion * rates.output) / MILLION


def spending_section(run: Path, prices: Prices) -> dict[str, Any] | None:
    """Return the section ``spending`` of ``results.json``: all requests to endpoints; None when there were none."""
    lines = _read(run / FILE)
    if not lines:
        return None
    meter, models = Meter(prices), {}
    for alias in dict.fromkeys(alias for alias, _ in lines):
        mine = [taken for own, taken in lines if own == alias]
        models[alias or "model"] = {
            "requests": len(mine),
            "retries": sum(taken.retries for taken in mine),
            "failed": sum(taken.failed for taken in mine),
            "prompt_tokens": sum(taken.prompt for taken in mine),
            "cached_tokens": sum(taken.cached for taken in mine),
            "completion_tokens": sum(taken.completion for taken in mine),
            "cost": figure(sum(meter.price(alias, taken) for taken in mine)),
        }
    return {"currency": prices.currency, "models": models}


def _read(file: Path) -> list[tuple[str | None, Taken]]:
    """Return what a file holds; a last line that a kill cut off is left out."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RunError(f"{file} can't be read ({error}); delete it to count from nothing") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_taken(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{file}:{number} is damaged; delete the line to go on without it") from error
    return found


def _cut_half_line(file: Path) -> None:
    """Cut off the half of a line that a kill left, or the next one would be appended to it."""
    if file.exists() and not (content := file.read_bytes()).endswith(b"\n"):
        file.write_bytes(content[: content.rfind(b"\n") + 1])


def _taken(line: Mapping[str, Any]) -> tuple[str | None, Taken]:
    prompt, completion, cached = int(line["prompt"]), int(line["completion"]), int(line["cached"])
    return line["model"], Taken(prompt, completion, cached, int(line["retries"]), bool(line["failed"]))
