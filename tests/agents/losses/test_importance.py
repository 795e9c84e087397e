"""Importance weights by hand: ratios 4 and 0.25 in one row, 1.5 in the other."""

import math

import pytest
import torch

from palestra.agents.losses import importance_weights
from palestra.agents.losses.importance import ImportanceLevel, ImportanceMode

MASK = torch.tensor([[True, True], [True, False]])
OLD = torch.tensor([[4.0, 0.25], [1.5, float("nan")]], dtype=torch.float64).log()
SAMPLER = torch.zeros(2, 2, dtype=torch.float64)


@pytest.mark.parametrize(
    ("level", "mode", "low", "high", "wanted"),
    [
        ("token", "truncate", 0.0, 2.0, [2.0, 0.25, 1.5, 0.0]),
        ("token", "truncate", 0.5, 2.0, [2.0, 0.5, 1.5, 0.0]),
        ("token", "mask", 0.2, 2.0, [0.0, 0.25, 1.5, 0.0]),
        ("sequence", "truncate", 0.0, 1.2, [1.0, 1.0, 1.2, 0.0]),  # 4 * 0.25 = 1
        ("sequence", "mask", 0.0, 1.2, [1.0, 1.0, 0.0, 0.0]),
        ("geometric", "mask", 0.99, 1.01, [1.0, 1.0, 0.0, 0.0]),
        ("geometric", "truncate", 0.99, 1.01, [1.0, 1.0, 1.01, 0.0]),
    ],
)
def test_weights(level: ImportanceLevel, mode: ImportanceMode, low: float, high: float, wanted: list[float]) -> None:
    found = importance_weights(OLD.clone().requires_grad_(), SAMPLER, MASK, level=level, mode=mode, low=low, high=high)
    assert found.flatten().tolist() == pytest.approx(wanted)
    assert not found.requires_grad


def test_the_geometric_mean_of_a_long_row_stays_where_its_product_leaves() -> None:
    mask = torch.ones(1, 1000, dtype=torch.bool)
    old = torch.full((1, 1000), math.log(1.01))
    sampler = torch.zeros(1, 1000)
    product = importance_weights(old, sampler, mask, level="sequence", mode="mask", low=0.5, high=3.0)
    mean = importance_weights(old, sampler, mask, level="geometric", mode="mask", low=0.5, high=3.0)
    assert float(product.sum()) == 0.0
    assert torch.allclose(mean, torch.full((1, 1000), 1.01))


@pytest.mark.parametrize("distance", [1e4, -1e4])
@pytest.mark.parametrize("level", ["token", "sequence", "geometric"])
@pytest.mark.parametrize("mode", ["truncate", "mask"])
def test_extremes_stay_finite(distance: float, level: ImportanceLevel, mode: ImportanceMode) -> None:
    mask = torch.ones(2, 50, dtype=torch.bool)
    found = importance_weights(torch.full((2, 50), distance), torch.zeros(2, 50), mask, level=level, mode=mode)
    assert found.isfinite().all()
    assert float(found.max()) <= 2.0


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="no level named 'row'"):
        importance_weights(OLD, SAMPLER, MASK, level="row")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no mode named 'clip'"):
        importance_weights(OLD, SAMPLER, MASK, mode="clip")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="low must be at most high"):
        importance_weights(OLD, SAMPLER, MASK, low=3.0, high=2.0)
