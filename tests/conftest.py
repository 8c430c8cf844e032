"""What holds for every test: no hub, no windows, one thread (tiny models lose time on more)."""

import gc
import os
import signal

import hypothesis

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Every test computes what it asserts, and none writes to the user's cache; tests of the cache give it a folder.
os.environ["TUNEWORTHY_CACHE"] = "off"

# A shell that runs tests in the background has them ignore Ctrl-C, and so would every program that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


hypothesis.settings.register_profile("tuneworthy", deadline=None)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("tuneworthy")


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish():
    """Leave what the imports made out of every garbage collection: training collects often, each time all of it."""
    gc.collect()
    gc.freeze()
