"""What several attempts say: estimates against counting."""

import pytest

from palestra.rewards.attempts import pass_at_k


def test_pass_at_k_is_the_share_of_draws_with_a_success() -> None:
    assert pass_at_k(4, 1, 2) == pytest.approx(0.5)  # 3 of the 6 pairs hold the one success
    assert pass_at_k(5, 0, 3) == 0.0
    assert pass_at_k(5, 3, 3) == 1.0
    with pytest.raises(ValueError, match="pass@6"):
        pass_at_k(5, 1, 6)
