"""Specs and limits that make no sense are refused before anything starts; the widest that do, work."""

import math
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import Capabilities, CapabilityError, Limits, Python, Spec
from palestra.sandbox.limits import check_limits, check_spec

EVERY = Capabilities(terminal=True, image=True, network_off=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("wall_s", 0), ("wall_s", -1.0), ("wall_s", math.nan), ("wall_s", math.inf), ("wall_s", 1e-9)),
        *(("wall_s", 10**11), ("cpu_s", "5"), ("cpu_s", None), ("cpu_s", True), ("memory_bytes", 1)),
        *(("memory_bytes", 1e6), ("memory_bytes", 10**30), ("processes", 10**9), ("processes", False)),
        *(("file_bytes", -1), ("disk_bytes", 0), ("output_bytes", math.nan)),
    ],
)
def test_a_limit_without_sense_is_named_with_its_value_and_the_range(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"limit {name} must be .* from [\d.]+ to \d+, not ") as caught:
        check_limits(replace(Limits(), **{name: value}))
    assert str(caught.value).endswith(f"not {value!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limits", None), ("limits", {"wall_s": 1}), ("needs", "network_off"), ("needs", ["network_off"])),
        *(("needs", frozenset({"netwrok_off"})), ("env", None), ("env", [("A", "b")]), ("env", {"": "x"})),
        *(("env", {"A=B": "x"}), ("env", {"A": "x\0y"}), ("env", {"A": 1}), ("env", {b"A": b"x"})),
        *(("env", {"A": "\ud800"}), ("preload", "numpy"), ("preload", ["json"]), ("preload", ("os; import x",))),
        *(("preload", ("",)), ("image", None), ("image", "../etc"), ("image", "Upper"), ("terminal", 1)),
        ("terminal", "yes"),
    ],
)
def test_a_spec_without_sense_is_named_with_its_value(name: str, value: Any) -> None:
    named = {"needs": "needs|capability", "env": "env|variable"}.get(name, name)
    with pytest.raises(ValueError, match=named) as caught:
        check_spec("native", replace(Spec(), **{name: value}), EVERY)
    for word in value if isinstance(value, frozenset | dict) else [value]:
        assert repr(word) in str(caught.value)


def test_fields_that_do_not_go_together_and_what_is_no_spec() -> None:
    with pytest.raises(ValueError, match=r"preload \('json',\)"):
        check_spec("native", Spec(preload=("json",), terminal=True), EVERY)
    with pytest.raises(ValueError, match="a spec is Spec"):
        check_spec("native", {"terminal": True}, EVERY)  # type: ignore[arg-type]


def test_what_is_not_proven_is_named() -> None:
    with pytest.raises(CapabilityError, match="native backend does not enforce fork, terminal here"):
        check_spec("native", Spec(terminal=True, needs=frozenset({"fork"})), Capabilities())


@pytest.mark.parametrize("is_terminal", [False, True], ids=["programs", "terminal"])
@pytest.mark.parametrize(
    "limits",
    [
        Limits(memory_bytes=1 << 20),
        Limits(disk_bytes=1, file_bytes=1, output_bytes=1, processes=1, cpu_s=0.001),
        Limits(wall_s=1e6, cpu_s=1e6, memory_bytes=1 << 40, processes=1 << 20, file_bytes=1 << 40),
        Limits(disk_bytes=1 << 40, output_bytes=1 << 40),
    ],
    ids=["memory", "narrowest", "widest", "largest"],
)
def test_the_ends_of_the_ranges_work(limits: Limits, is_terminal: bool) -> None:
    with closing(create(Spec(limits=limits, terminal=is_terminal))) as sandbox:
        assert sandbox.exec(["echo", "x"]).stdout[:1] == b"x"
        sandbox.write("file", b"x")
        assert sandbox.read("file") == b"x"


@pytest.mark.parametrize("word", ["a\0b", "\ud800"])
def test_words_that_cannot_be_passed_are_refused(word: str) -> None:
    with closing(create()) as sandbox:
        for command in (["echo", word], Python("", (word,))):
            with pytest.raises(ValueError, match="command"):
                sandbox.exec(command)
        with pytest.raises(ValueError, match="variable"):
            sandbox.exec(["true"], env={"A": word})
