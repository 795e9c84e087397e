"""Objects of another process, over a wire that carries plain data. Runs in the sandbox; standard library only.

The serving process holds the candidate's code; the asking one holds the tests and runs none of it. What crosses is
copied: None, booleans, numbers, texts, bytes, lists, tuples, sets and dictionaries of such. Any other object stays
where it is, and the asking side has a `Handle` of it. A handle equals another if the candidate's own ``==`` says
so, and never equals plain data, and is neither compared with it nor added to it: an object that claims to be equal
to everything is equal to no answer, and one whose difference to everything is 0 is no number.
"""

import builtins
import io
import json
import operator
import os
import sys
import types
from collections.abc import Callable
from typing import Any

_MOST_BYTES = 16 << 20  # of a message
_SIZE_BYTES = 8
_EXACT_BITS = 53  # larger integers go as text
_CONTAINERS: dict[str, type] = {"l": list, "t": tuple, "s": set, "f": frozenset}


class Wire:
    """Sends and receives values over two pipes; `hold` and `give` name and find what is not copied."""

    def __init__(self, read_end: int, write_end: int, hold: Callable[[Any], Any], give: Callable[[Any], Any]) -> None:
        self._read_end, self._write_end, self._hold, self._give = read_end, write_end, hold, give

    def send(self, value: Any) -> None:
        """Send a value."""
        data = json.dumps(self._packed(value)).encode()
        data = len(data).to_bytes(_SIZE_BYTES, "big") + data
        while data:
            data = data[os.write(self._write_end, data) :]

    def receive(self) -> Any:
        """Return the next value; raises ConnectionError when the other side is gone or makes no sense."""
        size = int.from_bytes(self._read(_SIZE_BYTES), "big")
        if size > _MOST_BYTES:
            raise ConnectionError("the other side sent too much")
        data = self._read(size)
        try:
            return self._unpacked(json.loads(data))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise ConnectionError(f"the other side sent what makes no sense: {type(error).__name__}") from None

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            got = os.read(self._read_end, min(size - len(data), 1 << 20))
            if not got:
                raise ConnectionError("the program has ended")
            data += got
        return data

    def _packed(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Handle | type) or hasattr(value, "_fields") or hasattr(value, "_value_"):
            return {"o": self._hold(value)}  # classes, namedtuples, members of enumerations
        if isinstance(value, int):
            number = int(value)
            return {"i": hex(number)} if number.bit_length() > _EXACT_BITS else number
        if isinstance(value, float | str):
            return float(value) if isinstance(value, float) else str(value)
        for head, container in _CONTAINERS.items():
            if isinstance(value, list | tuple | set | frozenset) and isinstance(value, container):
                return {head: [self._packed(item) for item in value]}
        if isinstance(value, dict):
            return {"d": [[self._packed(key), self._packed(item)] for key, item in value.items()]}
        if isinstance(value, bytes | bytearray):
            return {"b": value.hex()}
        return {"c": [value.real, value.imag]} if isinstance(value, complex) else {"o": self._hold(value)}

    def _unpacked(self, told: Any) -> Any:
        if isinstance(told, list):
            raise ValueError("a bare list")
        if not isinstance(told, dict):
            return told
        [(head, body)] = told.items()
        if head in _CONTAINERS:
            return _CONTAINERS[head](self._unpacked(item) for item in body)
        if head == "d":
            return {self._unpacked(key): self._unpacked(item) for key, item in body}
        if head == "i":
            return int(body, 16)
        if head == "b":
            return bytes.fromhex(body)
        return complex(*body) if head == "c" else self._give(body)


class Handle:
    """An object of the serving process. Whatever is done with it is done there, and by the candidate's rules."""

    def __init__(self, number: int, ask: Callable[..., Any]) -> None:
        self.__dict__.update(_number=number, _ask=ask)

    def __getattr__(self, name: str) -> Any:
        return self._ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("call", self, list(args), kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and self._ask("eq", self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._ask("hash", self))

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Handle) and self._ask("isinstance", instance, self) is True


_UNARY = ("len", "iter", "next", "str", "repr", "bool", "abs", "neg", "dir", "int", "float")
_OF_TWO = (
    "lt",
    "le",
    "gt",
    "ge",
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
)
_OF_PARTS = ("contains", "getitem", "setitem", "delitem")


def _asking(name: str) -> Callable[..., Any]:
    return lambda self, *values: self._ask(name, self, *values)


def _asking_of_two(name: str) -> Callable[..., Any]:
    return lambda self, other: self._ask(name, self, other) if isinstance(other, Handle) else NotImplemented


for _name in (*_UNARY, *_OF_PARTS):
    setattr(Handle, f"__{_name}__", _asking(_name))
for _name in _OF_TWO:
    setattr(Handle, f"__{_name}__", _asking_of_two(_name))

_ACTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(builtins, name, None) or getattr(operator, name) for name in _UNARY},
    **{name: getattr(operator, f"__{name}__") for name in (*_OF_TWO, *_OF_PARTS, "eq")},
    **{name: getattr(builtins, name) for name in ("getattr", "setattr", "isinstance", "hash")},
    "call": lambda found, args, kwargs: found(*args, **kwargs),
}


def ask_over(read_end: int, write_end: int) -> Callable[..., Any]:
    """Return the function by which the asking side has things done; what is raised there is raised here."""
    classes: dict[int, Any] = {}

    def give(body: Any) -> Any:
        if isinstance(body, str):
            return _standard(body)
        number, *told = body
        if told and number not in classes:  # an exception of the candidate's: `except` needs a class
            classes[number] = type(str(told[0]), (give(told[1]),), {})
        return classes[number] if told else Handle(int(number), ask)

    wire = Wire(read_end, write_end, _held_elsewhere(classes), give)

    def ask(action: str, *values: Any) -> Any:
        wire.send([action, list(values)])
        return accept(values)

    def accept(values: tuple[Any, ...] = ()) -> Any:
        kind, result, printed, args = wire.receive()
        sys.stdout.write(str(printed))
        for given, left in zip(values[1] if len(values) == 3 and type(values[1]) is list else (), args, strict=False):
            if isinstance(given, list) and isinstance(left, list):
                given[:] = left
            elif isinstance(given, dict | set) and type(given) is type(left):
                given.clear()
                given.update(left)
        if kind == "returned":
            return result
        error, words = result
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            raise ConnectionError("the other side raised what is no exception")
        raise error(*words)

    ask.accept = accept  # type: ignore[attr-defined]
    return ask


def _held_elsewhere(classes: dict[int, Any]) -> Callable[[Any], Any]:
    def hold(value: Any) -> Any:
        if isinstance(value, Handle):
            return value.__dict__["_number"]
        if isinstance(value, type) and _is_standard(value):
            return value.__name__
        for number, made in classes.items():
            if value is made:
                return number
        raise TypeError(f"only plain data and what it returned can be given to the program, not {value!r:.80}")

    return hold


def _is_standard(kind: type) -> bool:
    return getattr(builtins, kind.__name__, None) is kind


def _standard(name: Any) -> type[BaseException]:
    found = getattr(builtins, str(name), None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else Exception


def serve(read_end: int, write_end: int, module: str, source: str) -> None:
    """Run a source as a module, then do what the other side asks with what it holds, until that is gone."""
    made = types.ModuleType(module)
    sys.modules[module] = made
    held: list[Any] = [made]
    numbers = {id(made): 0}  # nothing that is held goes, so an id is one object's for good

    def hold(value: Any) -> Any:
        is_error = isinstance(value, type) and issubclass(value, BaseException)
        if is_error and _is_standard(value):
            return value.__name__
        if id(value) not in numbers:
            numbers[id(value)] = len(held)
            held.append(value)
        if not is_error:
            return [numbers[id(value)]]
        base = next(kind for kind in value.__mro__[1:] if issubclass(kind, BaseException))
        return [numbers[id(value)], value.__name__, hold(base)]

    wire = Wire(read_end, write_end, hold, lambda found: _standard(found) if isinstance(found, str) else held[found])

    def load() -> None:
        exec(compile(source, f"<{module}>", "exec", dont_inherit=True), made.__dict__)

    reply = _done(load, [])
    while True:
        try:
            wire.send(reply)
        except (TypeError, ValueError, RecursionError) as error:  # a value that cannot be copied
            wire.send(["raised", [type(error), [str(error)]], "", []])
        action, values = wire.receive()
        reply = _done(lambda action=action, values=values: _ACTIONS[action](*values), values)  # type: ignore[misc]


def _done(action: Callable[[], Any], values: list[Any]) -> list[Any]:
    """Do something and return what to tell of it: how it ended, what was printed, what became of its arguments."""
    sys.stdout = printed = io.StringIO()
    try:
        told = ["returned", action()]
    except BaseException as error:
        words = [word for word in error.args if isinstance(word, str | int | float)]
        told = ["raised", [type(error), words or [str(error)]]]
    return [*told, printed.getvalue(), values[1] if len(values) == 3 and isinstance(values[1], list) else []]
