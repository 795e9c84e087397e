"""Running a program here, with a count of steps that stands for its running time.

A program becomes functions that call each other; nothing is handed to Python's own compiler.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from palestra.envs.code.ir.machine import Machine, TooLong, Undefined, builtin, read
from palestra.envs.code.ir.nodes import (
    DEEPEST,
    MOST,
    Append,
    Assign,
    Block,
    Break,
    Call,
    Constant,
    Continue,
    Do,
    Expression,
    ForEach,
    ForRange,
    If,
    Item,
    Items,
    Let,
    Minus,
    Name,
    NewMap,
    Not,
    Operation,
    Pick,
    Pop,
    Print,
    Program,
    Put,
    Read,
    Remove,
    Return,
    Statement,
    Use,
    While,
)

__all__ = ["Outcome", "TooLong", "Undefined", "ready", "run"]

Frame = list[Any]  # a function's variables by their numbers; the first is what it returns
Value = Callable[[Frame], Any]
Act = Callable[[Frame], "str | None"]  # how it ends: None, or one of these
BREAK: Final = "break"
CONTINUE: Final = "continue"
RETURN: Final = "return"
_PYTHON_FRAMES: Final = 60_000  # enough for `DEEPEST` calls


class _Depth:
    """Lets Python's calls nest as deep as programs may, while somebody is within: the limit is every thread's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self._usual = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._within == 0:
                self._usual = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._usual, _PYTHON_FRAMES))
            self._within += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if self._within == 0:
                sys.setrecursionlimit(self._usual)


_depth = _Depth()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program printed, and its steps: a unit a statement, a turn, a call and an item that a builtin touches."""

    stdout: str
    steps: int


def run(program: Program, stdin: str, *, most_steps: int) -> Outcome:
    """Return what a checked program does on an input.

    Args:
        program: as `parse` or `check` returned it.
        stdin: what it reads.
        most_steps: the most it may take.

    Raises:
        Undefined: it does what the language leaves undefined; the message says what.
        TooLong: it takes more steps, or what it prints is too long.
    """
    return ready(program)(stdin, most_steps)


def ready(program: Program) -> Callable[[str, int], Outcome]:
    """Return `run` of one program: a function of an input and the most steps, for many inputs. It is one thread's."""
    machine = Machine("", 0)
    compiler = _Compiler(machine)
    for function in program.functions:
        compiler.define(function.name, [name for name, _ in function.parameters], function.body)
    act, size = compiler.whole(program.body, [])

    def go(stdin: str, most_steps: int) -> Outcome:
        machine.begin(stdin, most_steps)
        with _depth:
            act([None] * size)
        return Outcome("".join(machine.printed), machine.steps)

    return go


class _Compiler:
    """Makes functions of statements and expressions."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._functions: dict[str, list[Any]] = {}  # what runs its body and the size of a frame, filled in when known
        self._slots: dict[str, int] = {}

    def define(self, name: str, parameters: Sequence[str], body: Block) -> None:
        made: list[Any] = [None, 0]
        self._functions[name] = made
        made[:] = self.whole(body, parameters)

    def whole(self, body: Block, parameters: Sequence[str]) -> tuple[Act, int]:
        """Return what runs a function's body, and how many variables it has."""
        self._slots = {}
        for name in parameters:
            self._slot(name)
        return self._block(body), len(self._slots) + 1

    def _slot(self, name: str) -> int:
        return self._slots.setdefault(name, len(self._slots) + 1)

    # -- statements -----------------------------------------------------------------------------

    def _block(self, block: Block) -> Act:
        machine, acts = self._machine, tuple(self._statement(each) for each in block)
        if len(acts) == 1:
            act = acts[0]

            def single(frame: Frame) -> str | None:
                machine.steps += 1
                return act(frame)

            return single

        def several(frame: Frame) -> str | None:
            for act in acts:
                machine.steps += 1
                if end := act(frame):
                    return end
            return None

        return several

    def _statement(self, statement: Statement) -> Act:
        match statement:
            case Let(name, value):
                return self._store(self._slot(name), self._expression(value))
            case Assign(Name(name), value):
                return self._store(self._slot(name), self._expression(value))
            case Assign(Item(of, index), value):
                return _put_item(self._expression(of), self._expression(index), self._expression(value))
            case Append() | Pop() | Put() | Remove():
                return self._container(statement)
            case If(condition, then, otherwise):
                test, yes, no = self._expression(condition), self._block(then), self._block(otherwise)
                return lambda frame: yes(frame) if test(frame) else no(frame)
            case While() | ForRange() | ForEach():
                return self._loop(statement)
            case Break():
                return lambda frame: BREAK
            case Continue():
                return lambda frame: CONTINUE
            case Return(value):
                return self._return(value)
            case Print(values):
                return self._print([self._expression(each) for each in values])
            case Do(call):
                called = self._expression(call)

                def do(frame: Frame) -> None:
                    called(frame)

                return do
        raise TypeError(f"{statement!r} is no statement")

    def _store(self, slot: int, value: Value) -> Act:
        def store(frame: Frame) -> None:
            frame[slot] = value(frame)

        return store

    def _container(self, statement: Append | Pop | Put | Remove) -> Act:
        of = self._expression(statement.of)
        match statement:
            case Append(_, value):
                item = self._expression(value)

                def append(frame: Frame) -> None:
                    of(frame).append(item(frame))

                return append
            case Pop(_, into):
                return _pop(of, self._slot(into.name) if into else 0)
            case Put(_, key, value):
                where, what = self._expression(key), self._expression(value)

                def put(frame: Frame) -> None:
                    of(frame)[where(frame)] = what(frame)

                return put
            case Remove(_, key):
                where = self._expression(key)

                def remove(frame: Frame) -> None:
                    of(frame).pop(where(frame), None)

                return remove

    def _loop(self, statement: While | ForRange | ForEach) -> Act:
        machine = self._machine
        match statement:
            case While(condition, body):
                test, turn = self._expression(condition), self._block(body)

                def repeat(frame: Frame) -> str | None:
                    while test(frame):
                        machine.spend(1)
                        end = turn(frame)
                        if end and end is not CONTINUE:
                            return None if end is BREAK else end
                    return None

                return repeat
            case ForRange(name, start, stop, body, step):
                first, last, slot = self._expression(start), self._expression(stop), self._slot(name)
                return self._each(slot, lambda frame: range(first(frame), last(frame), step), self._block(body))
            case ForEach(name, of, body):
                return self._each(self._slot(name), self._expression(of), self._block(body))

    def _each(self, slot: int, items: Value, turn: Act) -> Act:
        machine = self._machine

        def each(frame: Frame) -> str | None:
            for item in items(frame):
                machine.spend(1)
                frame[slot] = item
                end = turn(frame)
                if end and end is not CONTINUE:
                    return None if end is BREAK else end
            return None

        return each

    def _return(self, returned: Expression | None) -> Act:
        if returned is None:
            return lambda frame: RETURN
        value = self._expression(returned)

        def leave(frame: Frame) -> str:
            frame[0] = value(frame)
            return RETURN

        return leave

    def _print(self, values: Sequence[Value]) -> Act:
        machine = self._machine

        def show(frame: Frame) -> None:
            machine.show([value(frame) for value in values])

        return show

    # -- expressions ----------------------------------------------------------------------------

    def _expression(self, value: Expression) -> Value:
        match value:
            case Constant(constant):
                return lambda frame: constant
            case Name(name):
                slot = self._slot(name)
                return lambda frame: frame[slot]
            case Operation(operator, left, right):
                return _operation(operator, self._expression(left), self._expression(right))
            case Not(of):
                negated = self._expression(of)
                return lambda frame: not negated(frame)
            case Minus(of):
                negative = self._expression(of)
                return lambda frame: -negative(frame)
            case Pick(condition, then, otherwise):
                test, yes, no = self._expression(condition), self._expression(then), self._expression(otherwise)
                return lambda frame: yes(frame) if test(frame) else no(frame)
            case Item(of, index):
                holder, at = self._expression(of), self._expression(index)
                return _key(holder, at) if of.type.kind == "map" else _item(holder, at)
            case Items(items):
                return self._items([self._expression(each) for each in items])
            case NewMap():
                return lambda frame: {}
            case Call(function, arguments):
                return self._call(self._functions[function], [self._expression(each) for each in arguments])
            case Use(name, arguments):
                return builtin(self._machine, name, [self._expression(each) for each in arguments])
            case Read(reader, sizes):
                return read(self._machine, reader, [self._expression(each) for each in sizes])
        raise TypeError(f"{value!r} is no expression")

    def _items(self, items: Sequence[Value]) -> Value:
        machine = self._machine

        def make(frame: Frame) -> list[Any]:
            machine.spend(len(items))
            return [item(frame) for item in items]

        return make

    def _call(self, function: list[Any], arguments: Sequence[Value]) -> Value:
        machine = self._machine

        def call(frame: Frame) -> Any:
            act, size = function
            inner: Frame = [None] * size
            for slot, argument in enumerate(arguments, start=1):
                inner[slot] = argument(frame)
            machine.spend(1)
            machine.depth += 1
            if machine.depth > DEEPEST:
                raise Undefined(f"calls nest more than {DEEPEST} deep")
            act(inner)
            machine.depth -= 1
            return inner[0]

        return call


def _item(of: Value, index: Value) -> Value:
    def item(frame: Frame) -> Any:
        items, at = of(frame), index(frame)
        if 0 <= at < len(items):
            return items[at]
        raise Undefined(f"there is no item {at} of {len(items)}")

    return item


def _key(of: Value, key: Value) -> Value:
    def look(frame: Frame) -> Any:
        items, at = of(frame), key(frame)
        if at in items:
            return items[at]
        raise Undefined(f"the map has no key {at!r}")

    return look


def _put_item(of: Value, index: Value, value: Value) -> Act:
    def put(frame: Frame) -> None:
        items, at = of(frame), index(frame)
        if not 0 <= at < len(items):
            raise Undefined(f"there is no item {at} of {len(items)}")
        items[at] = value(frame)

    return put


def _pop(of: Value, slot: int) -> Act:
    def pop(frame: Frame) -> None:
        items = of(frame)
        if not items:
            raise Undefined("nothing is left to pop")
        item = items.pop()
        if slot:
            frame[slot] = item

    return pop


def _large(value: int) -> Undefined:
    return Undefined(f"the number {value} is too large" if abs(value) < MOST**3 else "a number is too large")


def _operation(operator: str, left: Value, right: Value) -> Value:
    match operator:
        case "+":

            def add(frame: Frame) -> int:
                made: int = left(frame) + right(frame)
                if -MOST <= made <= MOST:
                    return made
                raise _large(made)

            return add
        case "-":

            def subtract(frame: Frame) -> int:
                made: int = left(frame) - right(frame)
                if -MOST <= made <= MOST:
                    return made
                raise _large(made)

            return subtract
        case "*":

            def multiply(frame: Frame) -> int:
                made: int = left(frame) * right(frame)
                if -MOST <= made <= MOST:
                    return made
                raise _large(made)

            return multiply
        case "//" | "%":
            return _division(operator, left, right)
        case "and":
            return lambda frame: left(frame) and right(frame)
        case "or":
            return lambda frame: left(frame) or right(frame)
    return _comparison(operator, left, right)


def _division(operator: str, left: Value, right: Value) -> Value:
    def divide(frame: Frame) -> int:
        number, by = left(frame), right(frame)
        if by:
            return cast(int, number // by)
        raise Undefined(f"{number} is divided by 0")

    def remainder(frame: Frame) -> int:
        number, by = left(frame), right(frame)
        if by:
            return cast(int, number % by)
        raise Undefined(f"{number} is divided by 0")

    return divide if operator == "//" else remainder


def _comparison(operator: str, left: Value, right: Value) -> Value:
    match operator:
        case "==":
            return lambda frame: left(frame) == right(frame)
        case "!=":
            return lambda frame: left(frame) != right(frame)
        case "<":
            return lambda frame: left(frame) < right(frame)
        case "<=":
            return lambda frame: left(frame) <= right(frame)
        case ">":
            return lambda frame: left(frame) > right(frame)
    return lambda frame: left(frame) >= right(frame)
