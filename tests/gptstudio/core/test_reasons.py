"""Reasons that people give."""

from __future__ import annotations

import pytest

from gptstudio.core.errors import Invalid
from gptstudio.core.reasons import checked_reason


def test_a_reason_is_kept_without_the_spaces_around_it() -> None:
    assert checked_reason("  It answered nonsense.\n", longest=30) == "It answered nonsense."


@pytest.mark.parametrize(
    ("reason", "said"), [(" \n", "There is no reason."), ("x" * 31, "The reason has 31 characters.")]
)
def test_without_a_reason_or_with_a_novel_nothing_is_done(reason: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        checked_reason(reason, longest=30)
    assert refused.value.param == "reason" and "30 characters at most" in refused.value.fix
