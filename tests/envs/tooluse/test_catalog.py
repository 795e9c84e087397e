"""What every domain of the catalogue must be."""

import pytest

from palestra.envs.tooluse.catalog import DOMAINS


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_stands_under_its_own_name(name: str) -> None:
    assert DOMAINS[name].name == name
