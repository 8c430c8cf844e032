"""An event loop and its connections to an endpoint, kept from call to call."""

import asyncio
import threading
import weakref

import httpx2


class Session:
    """An event loop and its connections, kept from call to call, so that a warm request finds one open."""

    def __init__(self, transport: httpx2.AsyncBaseTransport | None, concurrency: int) -> None:
        limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self.runner = asyncio.Runner()
        self.client = httpx2.AsyncClient(transport=transport, timeout=None, limits=limits)
        self.close = weakref.finalize(self, _close, self.runner, self.client)


def _close(runner: asyncio.Runner, client: httpx2.AsyncClient) -> None:
    def close() -> None:
        try:
            runner.run(_stop(client))
        finally:
            runner.close()

    if not _loop_is_running():
        close()
        return
    # Python tidies up whenever it likes, in the middle of another session's work too: no second loop can run there.
    helper = threading.Thread(target=close)
    helper.start()
    helper.join()


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _stop(client: httpx2.AsyncClient) -> None:
    """Give up what is still under way (after Ctrl-C something is), then hang up."""
    going = asyncio.all_tasks() - {asyncio.current_task()}
    for task in going:
        task.cancel()
    await asyncio.gather(*going, return_exceptions=True)
    await client.aclose()
