import pytest

from baselines.batches import run_halving


def failing(bad, calls):
    """Work that doubles each row and fails when a row of ``bad`` is among them, as a model would."""

    def work(part):
        calls.append(list(part))
        for row in part:
            if row in bad:
                raise bad[row]
        return [2 * row for row in part]

    return work


@pytest.mark.parametrize("error", [RuntimeError("a bad shape"), IndexError("index out of range"), MemoryError()])
def test_one_rows_failure_is_its_own(error):
    found = run_halving(range(8), failing({5: error}, []), lambda row, why: (row, why))
    assert [row for row in found if not isinstance(row, tuple)] == [0, 2, 4, 6, 8, 12, 14]
    assert found[5][0] == 5
    assert str(error) in found[5][1]


def test_a_model_that_always_fails_is_not_asked_for_every_row():
    calls = []
    found = run_halving(
        range(64), failing({row: RuntimeError("broken") for row in range(64)}, calls), lambda _, why: why
    )
    assert found == ["the model failed: RuntimeError: broken"] * 64
    assert len(calls) < 12


def test_no_rows_are_no_work():
    assert run_halving([], failing({}, []), lambda _, why: why) == []
