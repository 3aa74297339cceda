"""Arithmetic of conditions: numbers of any size give a number or nothing."""

import pytest

from engine.vocabulary.operators import arithmetic


@pytest.mark.parametrize("operator", ["+", "-", "*", "/"])
@pytest.mark.parametrize("right", [0, 0.5, 10**300, -(10**300), 1e308])
def test_no_size_of_numbers_breaks_it(operator: str, right: float) -> None:
    for left in (0, 1.5, 10**300, 1e308):
        result = arithmetic(operator, left, right)
        assert result is None or abs(result) < float("inf")
