"""Says once that a server takes long: without a terminal there are no bars, and a hanging server would be silent."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("tuneworthy.endpoint")

QUIET = 10.0
"""Seconds that a request may be under way, further tries and waits in it, before that is told."""


class Waiting:
    """Watches the requests to one server; ``quiet`` seconds without an answer to one of them are told, once."""

    def __init__(self, server: str, timeout: float, quiet: float = QUIET) -> None:
        self._server = server
        self._timeout = timeout
        self._quiet = quiet
        self._told = False
        self.problem = ""
        """What came of the latest try that failed."""

    @contextmanager
    def watch(self, tries: int) -> Iterator[None]:
        """Watch one request, which is tried up to ``tries`` times; within an event loop."""
        handle = asyncio.get_running_loop().call_later(self._quiet, self._tell, tries)
        try:
            yield
        finally:
            handle.cancel()

    def _tell(self, tries: int) -> None:
        if self._told:
            return
        self._told = True
        so_far = f" (so far: {self.problem})" if self.problem else ""
        often = f"up to {tries} times {self._timeout:g} s" if tries > 1 else f"up to {self._timeout:g} s"
        log.warning(
            "note: no answer from %s for %g s%s; it's waited for %s a request, as `timeout` and `retries` say",
            self._server,
            self._quiet,
            so_far,
            often,
        )
