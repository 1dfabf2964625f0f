"""Ids that sort by birth, and states that follow one another only as the table says."""

from __future__ import annotations

import pytest

from gptstudio.core import ids
from gptstudio.core.errors import Conflict, NotFound, StudioError
from gptstudio.core.states import Transitions

TABLE = Transitions({"queued": {"running", "cancelled"}, "running": {"done", "queued"}})


def test_ids_sort_by_the_time_of_their_birth(monkeypatch) -> None:
    born = []
    for second in (1_000_000_000, 1_000_000_000.001, 1_700_000_000, 4_000_000_000):
        monkeypatch.setattr(ids.time, "time", lambda second=second: second)
        born.append(ids.mint("ds_"))
    assert born == sorted(born)


def test_an_id_carries_its_noun_and_has_one_length() -> None:
    made = {ids.mint("ftjob-") for _ in range(200)}
    assert len(made) == 200
    assert all(each.startswith("ftjob-") and len(each) == len("ftjob-") + ids.LENGTH for each in made)
    assert set("".join(each.removeprefix("ftjob-") for each in made)) <= set(ids.ALPHABET)


def test_a_state_is_followed_only_by_what_its_row_names() -> None:
    assert TABLE.allows("queued", "running")
    assert not TABLE.allows("queued", "done")
    assert TABLE.sources("queued") == ["running"]
    assert TABLE.is_final("done") and TABLE.is_final("cancelled") and not TABLE.is_final("queued")


def test_a_forbidden_step_is_refused_with_a_sentence() -> None:
    TABLE.check("queued", "running", noun="version")
    with pytest.raises(Conflict, match="This version is done; it cannot become queued any more."):
        TABLE.check("done", "queued", noun="version")


def test_an_error_says_what_and_then_what_to_do() -> None:
    error = NotFound("There is no file x.", fix="Look in the list.", param="file")
    assert (str(error), error.status, error.code, error.param) == (
        "There is no file x. Look in the list.",
        404,
        "not_found",
        "file",
    )
    assert isinstance(error, StudioError)
