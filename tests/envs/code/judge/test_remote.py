"""What crosses between tests and candidate: plain data comes as it went, and no bytes do harm."""

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.code.judge.remote import Handle, Wire, ask_over, serve

KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.frozensets(st.integers())
DATA = st.recursive(
    KEYS | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner) | st.sets(KEYS),
    max_leaves=12,
)


@contextlib.contextmanager
def wire() -> Iterator[tuple[Wire, int]]:
    """Yield a wire that receives what it sends, and the end of its pipe."""
    read_end, write_end = os.pipe()
    try:
        yield Wire(read_end, write_end, lambda value: [repr(value)], lambda body: body), write_end
    finally:
        os.close(read_end)
        os.close(write_end)


@given(DATA)
def test_plain_data_comes_as_it_went(value: Any) -> None:
    with wire() as (both, _):
        both.send(value)
        got = both.receive()
        assert (got, type(got)) == (value, type(value))


def test_numbers_that_json_does_not_know_come_too() -> None:
    with wire() as (both, _):
        both.send([math.inf, -math.inf, math.nan, -0.0, 10**5000, -(1 << 60)])
        big, small, odd, zero, large, negative = both.receive()
        assert (big, small, large, negative) == (math.inf, -math.inf, 10**5000, -(1 << 60))
        assert math.isnan(odd)
        assert math.copysign(1, zero) == -1


@given(st.binary(max_size=200) | DATA.map(lambda value: repr(value).encode()))
def test_no_bytes_do_more_than_end_the_connection(data: bytes) -> None:
    with wire() as (both, write_end):
        os.write(write_end, len(data).to_bytes(8, "big") + data)
        with contextlib.suppress(ConnectionError):
            both.receive()


@pytest.mark.parametrize(
    "data", [b'{"d": [[{"l": []}, 1]]}', b'{"s": [{"d": []}]}', b"[1]", b'{"l": 3}', b'{"x": 1, "y": 2}', b"[" * 60000]
)
def test_data_that_is_none_ends_the_connection(data: bytes) -> None:
    with wire() as (both, write_end):
        writer = threading.Thread(target=os.write, args=(write_end, len(data).to_bytes(8, "big") + data))
        writer.start()
        with pytest.raises(ConnectionError, match="makes no sense"):
            both.receive()
        writer.join()


def test_a_message_that_is_too_long_or_cut_off_ends_the_connection() -> None:
    with wire() as (both, write_end):
        os.write(write_end, (1 << 40).to_bytes(8, "big"))
        with pytest.raises(ConnectionError, match="too much"):
            both.receive()
    read_end, write_end = os.pipe()
    os.write(write_end, (9).to_bytes(8, "big") + b"1")
    os.close(write_end)
    with pytest.raises(ConnectionError, match="has ended"):
        Wire(read_end, read_end, repr, repr).receive()
    os.close(read_end)


@pytest.fixture
def ask() -> Iterator[Callable[[str], Handle]]:
    """Serve a module from another process; return what loads it and gives a handle of it."""
    ends: list[int] = []
    pids: list[int] = []

    def load(source: str) -> Handle:
        theirs, ours = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(theirs[1])
            os.close(ours[0])
            try:
                serve(theirs[0], ours[1], "solution", source)
            finally:
                os._exit(0)
        os.close(theirs[0])
        os.close(ours[1])
        ends.extend((ours[0], theirs[1]))
        pids.append(pid)
        asking = ask_over(ours[0], theirs[1])
        asking.accept()  # type: ignore[attr-defined]
        return Handle(0, asking)

    yield load
    for end in ends:
        os.close(end)
    for pid in pids:
        os.waitpid(pid, 0)


def test_exceptions_keep_their_family(ask: Callable[[str], Handle]) -> None:
    module = ask(
        "class A(KeyError): pass\nclass B(A): pass\n"
        "def f(kind): raise kind('told', 3)\ndef g(): raise StopIteration(7)\n"
    )
    with pytest.raises(module.A) as raised:
        module.f(module.B)
    assert type(raised.value).__name__ == "B"
    assert isinstance(raised.value, KeyError)
    assert raised.value.args == ("told", 3)
    with pytest.raises(ValueError, match="told"):
        module.f(ValueError)
    with pytest.raises(StopIteration):
        module.g()


def test_a_handle_is_the_same_object_again(ask: Callable[[str], Handle]) -> None:
    module = ask("class C: pass\nkept = C()\ndef get(): return kept\ndef same(a): return a is kept\n")
    assert module.get() == module.kept
    assert hash(module.get()) == hash(module.kept)
    assert module.same(module.get()) is True
    assert module.get() != module.C()
    module.kept.x = [1]
    assert module.get().x == [1]
    assert len({module.get(), module.kept}) == 1


def test_what_cannot_be_given_is_refused_here_and_there(ask: Callable[[str], Handle]) -> None:
    module = ask("def echo(value): return value\ndef nest():\n    x = []\n    x.append(x)\n    return x\n")
    with pytest.raises(TypeError, match="plain data"):
        module.echo(lambda: 3)
    with pytest.raises(RecursionError):
        module.nest()
    assert module.echo(3) == 3
