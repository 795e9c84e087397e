"""What modules are fed: unknown without the nonce, telling, and the same again with it."""

import itertools
from typing import Any

import pytest

from palestra.envs.verilog.design import TICK
from palestra.envs.verilog.stimulus import Interface, packed, vectors
from palestra.rewards.base import VerifierError

TOLD: dict[str, Any] = {
    "inputs": [["rst_n", 1], ["a", 8], ["b", 8], ["en", 1]],
    "outputs": [["y", 8]],
    "clock": "posedge",
    "reset": "rst_n",
    "reset_level": 0,
}


def test_a_nonce_decides_the_stimulus() -> None:
    interface = Interface.of("m", TOLD)
    assert vectors(interface, 300, "x") == vectors(interface, 300, "x")
    assert vectors(interface, 300, "x") != vectors(interface, 300, "y")


def test_a_stimulus_begins_with_a_reset_and_has_corners() -> None:
    stimulus = vectors(Interface.of("m", TOLD), 1000, "x")
    assert len(stimulus) == 1000
    assert [vector["rst_n"] for vector in stimulus[:2]] == [0, 0]
    levels = [vector["rst_n"] for vector in stimulus]
    assert 3 < sum(one > two for one, two in itertools.pairwise(levels)) < 100
    assert all(vector["rst_n"] == 0 for vector in stimulus if not vector[TICK])
    assert sum(not vector[TICK] for vector in stimulus) >= 3
    assert {0, 255} <= {vector["a"] for vector in stimulus}
    assert sum(vector["a"] == vector["b"] for vector in stimulus) > 20
    assert all(0 <= vector["a"] < 256 and vector["en"] in (0, 1) for vector in stimulus)


def test_few_inputs_are_tried_in_every_combination() -> None:
    told = {"inputs": [["a", 5], ["b", 4]], "outputs": [["y", 1]], "clock": "", "reset": "", "reset_level": 1}
    stimulus = vectors(Interface.of("m", told), 600, "x")
    assert len({(vector["a"], vector["b"]) for vector in stimulus}) == 512


def test_vectors_are_packed_in_the_order_of_the_ports() -> None:
    interface = Interface.of("m", TOLD)
    assert packed(interface, [{"rst_n": 1, "a": 0x12, "b": 0x34, "en": 1}]) == b"62469\n"
    assert 0b1_1_00010010_00110100_1 == 0x62469


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": []},
        {"outputs": []},
        {"clock": "both"},
        {"reset": "nobody"},
        {"reset_level": 2},
        {"inputs": [["a", 0]], "reset": ""},
        {"inputs": [["a", 10**6]], "reset": ""},
        {"inputs": [["a; $finish", 1]], "reset": ""},
        {"inputs": [["a", 1], ["a", 2]], "reset": ""},
        {"inputs": "a"},
        {"outputs": None},
    ],
)
def test_an_interface_that_makes_no_sense_is_the_tasks_fault(changes: dict[str, Any]) -> None:
    with pytest.raises(VerifierError, match=r"ports|reset|clock"):
        Interface.of("m", {**TOLD, **changes})
    with pytest.raises(VerifierError, match="plain names"):
        Interface.of("m; $finish", TOLD)
