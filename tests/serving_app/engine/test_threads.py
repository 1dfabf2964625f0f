"""The number of threads follows what is quicker on the machine as it is now."""

from __future__ import annotations

from collections.abc import Callable

from serving_app.engine.threads import RAREST, ThreadChoice


def _run(choice: ThreadChoice, steps: int, seconds: Callable[[int], float], work: object = "16 rows") -> list[int]:
    """Let steps pass that take `seconds(threads)`; returns the threads of each."""
    taken = []
    for _ in range(steps):
        taken.append(choice.threads)
        choice.took(seconds(taken[-1]), work=work)
    return taken


def _free(threads: int) -> float:
    return 0.025 if threads == 2 else 0.040


def _contended(threads: int) -> float:
    return 0.150 if threads == 2 else 0.042


def test_on_free_cores_nearly_all_steps_take_all_threads() -> None:
    taken = _run(ThreadChoice(2), 1000, _free)
    assert taken[0] == 2
    assert 0 < taken.count(1) < 30


def test_with_a_core_taken_by_others_one_thread_is_soon_enough() -> None:
    taken = _run(ThreadChoice(2), 400, _contended)
    assert taken[50:].count(2) < 20


def test_it_comes_back_to_all_threads_when_the_cores_are_free_again() -> None:
    choice = ThreadChoice(2)
    _run(choice, 400, _contended)
    assert choice.threads == 1
    _run(choice, 2 * RAREST, _free)
    assert choice.threads == 2


def test_a_single_slow_step_changes_nothing() -> None:
    choice = ThreadChoice(2)
    _run(choice, 200, _free)
    choice.took(2.0, work="16 rows")
    assert _run(choice, 300, _free).count(1) < 12


def test_a_sudden_slowness_is_looked_at_before_its_time() -> None:
    choice = ThreadChoice(2)
    _run(choice, 2000, _free)
    taken = _run(choice, 60, _contended)
    assert taken[-1] == 1


def test_steps_of_other_work_are_not_compared() -> None:
    choice = ThreadChoice(2)
    for step in range(600):
        choice.took(0.001 if choice.threads == 1 else 0.025, work=step % 2)
    assert choice.threads == 2


def test_with_one_thread_there_is_nothing_to_choose() -> None:
    assert set(_run(ThreadChoice(1), 100, _free)) == {1}


def test_of_four_threads_either_all_or_one_are_taken() -> None:
    assert set(_run(ThreadChoice(4), 200, lambda threads: 1.0 / threads)) == {1, 4}
