"""The store of answers: several processes, damage, a full disk, room, and what it must never do."""

import logging
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

from evals.response_cache import ResponseCache

ROOT = Path(__file__).parents[1]
ROOM = 10**9


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def values(numbers, size: int = 8) -> dict[bytes, bytes]:
    return {key(number): str(number).encode().ljust(size, b".") for number in numbers}


def test_what_was_put_is_got_again_by_another_process_s_store(tmp_path):
    first = ResponseCache(tmp_path / "deep" / "answers.sqlite", ROOM)
    first.put("choose", values(range(25_000)))
    second = ResponseCache(tmp_path / "deep" / "answers.sqlite", ROOM)
    assert second.get([key(3), key(99_999)]) == values([3])
    assert second.get([key(number) for number in range(25_000)]) == values(range(25_000))
    assert second.get([]) == {}


def test_several_processes_may_write_and_read_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from evals.response_cache import ResponseCache\n"
        "from tests.test_evals_response_cache import key, values\n"
        "mine = int(sys.argv[2]); store = ResponseCache(Path(sys.argv[1]), 10**9)\n"
        "for step in range(40):\n"
        "    store.put('generate', values([mine * 1000 + step, 7]))\n"
        "    assert store.get([key(mine * 1000 + step), key(7)]) == values([mine * 1000 + step, 7])\n"
        "assert store.problem is None, store.problem\n"
    )
    path = tmp_path / "answers.sqlite"
    others = [subprocess.Popen([sys.executable, "-c", code, path, str(mine)], cwd=ROOT) for mine in range(1, 7)]
    assert [one.wait(timeout=300) for one in others] == [0] * 6
    wanted = [7] + [mine * 1000 + step for mine in range(1, 7) for step in range(40)]
    assert ResponseCache(path, ROOM).get(list(map(key, wanted))) == values(wanted)


def test_a_forked_process_opens_the_file_for_itself(tmp_path):
    store = ResponseCache(tmp_path / "answers.sqlite", ROOM)
    store.put("choose", values([1]))
    child = os.fork()
    if child == 0:
        store.put("choose", values([2]))
        os._exit(0 if store.get([key(1), key(2)]) == values([1, 2]) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.put("choose", values([3]))
    assert store.get([key(1), key(2), key(3)]) == values([1, 2, 3])


def test_a_changed_byte_makes_an_answer_unknown_not_wrong(tmp_path):
    path = tmp_path / "answers.sqlite"
    store = ResponseCache(path, ROOM)
    store.put("choose", {key(1): b"yes", key(2): b"no"})
    store.close()
    with sqlite3.connect(path) as connection:
        wrong = "CAST(substr(value, 1, 8) || 'nay' AS BLOB)"
        connection.execute(f"UPDATE answers SET value = {wrong} WHERE key = ?", [key(1)])
    assert ResponseCache(path, ROOM).get([key(1), key(2)]) == {key(2): b"no"}
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET value = 7, used = 'text' WHERE key = ?", [key(1)])
    assert ResponseCache(path, ROOM).get([key(1), key(2)]) == {key(2): b"no"}
    # Nor is an answer that was moved to another key taken for that key's.
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET value = (SELECT value FROM answers WHERE key = ?)", [key(2)])
    assert ResponseCache(path, ROOM).get([key(1), key(2)]) == {key(2): b"no"}


def test_a_damaged_file_is_told_once_and_left_alone(tmp_path, caplog):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"this is no database, whatever it's called" * 200)
    store = ResponseCache(path, ROOM)
    with caplog.at_level(logging.WARNING):
        assert store.get([key(1)]) == {}
        store.put("choose", values([1]))
        assert store.get([key(1)]) == {}
    assert len(caplog.messages) == 1
    assert "file is not a database" in caplog.messages[0]
    assert "tuneworthy cache clear" in caplog.messages[0]


def test_pages_that_are_torn_out_end_the_use_of_the_file(tmp_path):
    path = tmp_path / "answers.sqlite"
    store = ResponseCache(path, ROOM)
    store.put("generate", values(range(2_000), size=400))
    store.close()
    with path.open("r+b") as file:
        for page in range(2, 200):
            file.seek(4096 * page)
            file.write(os.urandom(1024))
    again = ResponseCache(path, ROOM)
    found = again.get([key(number) for number in range(2_000)])
    assert found.items() <= values(range(2_000), size=400).items()
    assert len(found) < 2_000
    again.put("generate", values(range(5_000, 5_010)))  # doesn't raise


def test_a_newer_schema_and_a_place_that_can_t_be_are_told_too(tmp_path, caplog):
    newer = tmp_path / "answers.sqlite"
    ResponseCache(newer, ROOM).put("choose", values([1]))
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in (newer, tmp_path / "file" / "answers.sqlite"):
        assert ResponseCache(path, ROOM).get([key(1)]) == {}
    assert len(caplog.messages) == 2
    assert "schema 99" in caplog.messages[0]
    assert str(tmp_path / "file") in caplog.messages[1]


def test_a_full_disk_ends_the_writing_and_nothing_else(tmp_path):
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    code = (
        "import sys; from pathlib import Path; from evals.response_cache import ResponseCache\n"
        "from tests.test_evals_response_cache import key, values\n"
        "store = ResponseCache(Path(sys.argv[1]), 10**9)\n"
        "for start in range(0, 5000, 100): store.put('choose', values(range(start, start + 100), size=500))\n"
        "print(store.problem)\n"
        "print(store.get([key(1)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "answers.sqlite"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=little_room,
    )
    problem, found = done.stdout.splitlines()
    assert problem != "None"
    assert found == "{}"
    assert done.stderr.count("going on without the cache") == 1
    # What was written before is whole.
    kept = ResponseCache(tmp_path / "answers.sqlite", ROOM).get([key(number) for number in range(5_000)])
    assert kept
    assert kept.items() <= values(range(5_000), size=500).items()


def test_where_room_is_used_up_the_least_recently_used_leave(tmp_path):
    now = 1_000_000.0
    store = ResponseCache(tmp_path / "answers.sqlite", 600_000, clock=lambda: now)
    store.put("generate", values(range(250), size=800))
    now += 10_000
    store.put("generate", values(range(250, 400), size=800))
    now += 10_000
    assert len(store.get([key(number) for number in range(50)])) == 50  # used again: they aren't the oldest any more
    now += 10_000
    store.put("generate", values(range(400, 600), size=800))
    kept = {int.from_bytes(one, "big") for one in store.get([key(number) for number in range(600)])}
    gone = set(range(600)) - kept
    assert len(gone) > 100
    assert gone <= set(range(50, 250))
    store.close()
    assert (tmp_path / "answers.sqlite").stat().st_size <= 700_000
