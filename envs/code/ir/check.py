"""Whether a program keeps the rules of the language, and where it does not."""

import re
from dataclasses import dataclass, field
from typing import Final

from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    MOST,
    NONE,
    STR,
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
    Function,
    If,
    IrError,
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
    Type,
    Use,
    While,
    list_of,
)
from palestra.envs.code.ir.place import Address
from palestra.envs.code.ir.rules import (
    READERS,
    builtin_type,
    is_flat,
    is_scalar,
    is_type,
    item_type,
    operation_type,
)

_NAME: Final = re.compile(r"[a-z]([a-z0-9_]{0,30}[a-z0-9])?")
_NEW: Final = {"concat", "slice", "repeat", "grid", "sorted", "reversed", "copy", "split", "keys"}


class CheckError(IrError):
    """A program breaks a rule of the language."""


def check(program: Program) -> Program:
    """Return the program, which keeps every rule.

    Raises:
        CheckError: it does not; the message names the function and the statement.
    """
    if found := find_problem(program):
        address, problem = found
        where = f"the function {address[0]}" if address[0] else "the program"
        raise CheckError(f"{where}, statement {'.'.join(map(str, address[1:])) or '-'}: {problem}")
    return program


def find_problem(program: Program) -> tuple[Address, str] | None:
    """Return where a program first breaks a rule and how, or None if it keeps them all."""
    known: dict[str, Function] = {}
    for function in (*program.functions, Function("", (), NONE, program.body)):
        checker = _Checker(function, known)
        try:
            checker.function_itself()
        except _Broken as broken:
            return checker.at, str(broken)
        known[function.name] = function
    return None


class _Broken(Exception):
    """A rule is broken at the statement that is looked at."""


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Broken(otherwise)


@dataclass
class _Checker:
    """Looks at one function, the program's own statements being one without a name."""

    function: Function
    known: dict[str, Function]  # those before
    at: Address = ()
    scopes: list[dict[str, Type]] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)  # of every name so far
    frozen: list[str] = field(default_factory=list)  # names that may not change here
    turning: list[str] = field(default_factory=list)  # the variables of the loops around

    def function_itself(self) -> None:
        function = self.function
        self.at = (function.name,)
        if function.name:
            _demand(bool(_NAME.fullmatch(function.name)), f"{function.name!r} cannot be a name")
            _demand(function.name not in self.known, "there are two functions of this name")
            _demand(function.returns == NONE or is_type(function.returns), f"no function returns {function.returns}")
            self.known = {**self.known, function.name: function}
        self.scopes.append({})
        for name, type in function.parameters:
            self._make(name, type)
            if not is_scalar(type):
                self.frozen.append(name)
        self._block(function.body, (function.name,))
        self.at = (function.name,)
        _demand(function.returns == NONE or _returns(function.body), "not every way through it returns a value")

    # -- names ----------------------------------------------------------------------------------

    def _make(self, name: str, type: Type) -> None:
        _demand(bool(_NAME.fullmatch(name)), f"{name!r} cannot be a name")
        _demand(name not in self.known, f"{name} is a function")
        _demand(all(name not in scope for scope in self.scopes), f"{name} is there already")
        _demand(is_type(type), f"no variable is of the type {type}")
        _demand(self.types.setdefault(name, type) == type, f"{name} is {self.types[name]} elsewhere in the function")
        self.scopes[-1][name] = type

    def _type_of(self, name: str) -> Type:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        raise _Broken(f"{name} is not made before, in this block or one around it")

    def _changed(self, place: Expression) -> Type:
        """Return the type of a place that a statement changes."""
        root = place
        while isinstance(root, Item):
            _demand(root.of.type.kind == "list", f"an item of {root.of.type} cannot be changed so")
            root = root.of
        if not isinstance(root, Name):
            raise _Broken("only what has a name can be changed")
        _demand(root.name not in self.frozen, f"{root.name} cannot be changed here")
        return self._expression(place)

    # -- statements -----------------------------------------------------------------------------

    def _block(self, block: Block, at: Address, made: tuple[str, Type] | None = None) -> None:
        self.scopes.append({})
        if made:
            self._make(*made)
        for number, statement in enumerate(block):
            self.at = (*at, number)
            self._statement(statement)
            self.at = (*at, number)
            _demand(
                number + 1 == len(block) or not isinstance(statement, Return | Break | Continue),
                "what follows it is never reached",
            )
        self.scopes.pop()

    def _inner(self, block: Block, name: str, made: tuple[str, Type] | None = None) -> None:
        _demand(bool(block), "a block needs a statement")
        at = self.at
        self._block(block, (*at, name), made)
        self.at = at

    def _loop(self, body: Block, made: tuple[str, Type] | None = None, frozen: tuple[str, ...] = ()) -> None:
        before = len(self.frozen)
        self.frozen += frozen
        self.turning.append(made[0] if made else "")
        self._inner(body, "body", made)
        self.turning.pop()
        del self.frozen[before:]

    def _statement(self, statement: Statement) -> None:
        match statement:
            case Let(name, value):
                self._make(name, self._value(value))
            case Assign(place, value):
                type = self._changed(place)
                _demand(self._value(value) == type, f"a value of the type {type} belongs here")
            case Append() | Pop() | Put() | Remove():
                self._container(statement)
            case If() | While() | ForRange() | ForEach():
                self._compound(statement)
            case Break() | Continue():
                _demand(bool(self.turning), "there is no loop around it")
            case Return(returned):
                self._return(returned)
            case Print(values):
                self._print(values)
            case Do(call):
                _demand(self._call(call) == NONE, f"{call.function} has a result, which is lost")

    def _container(self, statement: Append | Pop | Put | Remove) -> None:
        type = self._changed(statement.of)
        if isinstance(statement, Append | Pop):
            if type.kind != "list":
                raise _Broken(f"{type} is no list")
            if isinstance(statement, Append):
                _demand(self._value(statement.value) == type.of[0], f"the items are {type.of[0]}")
            elif statement.into:
                into = self._changed(statement.into)
                _demand(into == type.of[0] and is_scalar(into), f"what is popped is {type.of[0]}, not {into}")
            return
        if type.kind != "map":
            raise _Broken(f"{type} is no map")
        _demand(self._expression(statement.key) == type.of[0], f"the keys are {type.of[0]}")
        if isinstance(statement, Put):
            _demand(self._value(statement.value) == type.of[1], f"the values are {type.of[1]}")

    def _compound(self, statement: If | While | ForRange | ForEach) -> None:
        match statement:
            case If(condition, then, otherwise):
                _demand(self._expression(condition) == BOOL, "a condition is a truth")
                self._inner(then, "then")
                if otherwise:
                    self._inner(otherwise, "otherwise")
            case While(condition, body):
                _demand(self._expression(condition) == BOOL, "a condition is a truth")
                if isinstance(condition, Constant):
                    _demand(condition.value is True and has_break(body), "a loop without end needs a break")
                self._loop(body)
            case ForRange(name, start, stop, body, step):
                _demand(self._expression(start) == INT == self._expression(stop), "a range is of integers")
                _demand(step in (1, -1), "a range goes in steps of 1 or -1")
                self._loop(body, (name, INT), (name,))
            case ForEach(name, of, body):
                type = self._expression(of)
                _demand(type.kind in ("list", "str"), f"there are no items in {type}")
                root = of
                while isinstance(root, Item):
                    root = root.of
                frozen = (name, root.name) if isinstance(root, Name) else (name,)
                self._loop(body, (name, STR if type == STR else type.of[0]), frozen)

    def _return(self, returned: Expression | None) -> None:
        _demand(bool(self.function.name), "only functions return")
        if returned is None:
            _demand(self.function.returns == NONE, "a value is missing")
            return
        borrowed = (*(name for name, _ in self.function.parameters), *self.turning)
        own = isinstance(returned, Name) and returned.name not in borrowed
        type = self._expression(returned) if own else self._value(returned, reads=False)
        _demand(type == self.function.returns, f"a value of the type {self.function.returns} is returned")

    def _print(self, values: tuple[Expression, ...]) -> None:
        self._speaks()
        for value in values:
            type = self._expression(value)
            printable = is_scalar(type) or (is_flat(type) and type != list_of(BOOL))
            _demand(printable, f"{type} cannot be printed")

    def _speaks(self) -> None:
        _demand(self.function.returns == NONE, "a function with a result neither reads nor prints")

    # -- expressions ----------------------------------------------------------------------------

    def _value(self, value: Expression, *, reads: bool = True) -> Type:
        """Return the type of what a place or a caller is given: a list or a map is a new one."""
        if isinstance(value, Read):
            _demand(reads, "what is read has to be given a name first")
            self._speaks()
            return self._read(value)
        type = self._expression(value)
        new = isinstance(value, Items | NewMap | Call) or (isinstance(value, Use) and value.builtin in _NEW)
        _demand(is_scalar(type) or new, "a list or a map belongs to one name: copy it")
        return type

    def _read(self, read: Read) -> Type:
        sizes, type = READERS[read.reader]
        _demand(len(read.sizes) == sizes, f"it takes {sizes} sizes")
        for size in read.sizes:
            _demand(self._expression(size) == INT, "a size is an integer")
        _demand(read.type == type, f"what is read is {type}")
        return type

    def _expression(self, value: Expression) -> Type:
        match value:
            case Constant():
                type = _constant(value)
            case Name(name):
                type = self._type_of(name)
            case Items(items):
                type = self._items(items, value.type)
            case NewMap():
                type = value.type
                _demand(type.kind == "map" and is_type(type), f"{type} is no type of a map")
            case Call():
                type = self._call(value)
                _demand(type != NONE, f"{value.function} has no result")
            case Read():
                raise _Broken("what is read has to be given a name first")
            case _:
                type = self._computed(value)
        if value.type != type:
            raise _Broken(f"it is said to be {value.type}, and is {type}")
        return type

    def _computed(self, value: Operation | Not | Minus | Pick | Item | Use) -> Type:
        what, given = _parts(value)
        types = [self._expression(each) for each in given]
        type: Type | None = None
        match value, types:
            case Operation(operator), [left, right]:
                type = operation_type(operator, left, right)
            case (Not(), [Type("bool") as of]) | (Minus(), [Type("int") as of]):
                type = of
            case Pick(), [Type("bool"), then, otherwise] if then == otherwise and is_scalar(then):
                type = then
            case Item(), [of, index]:
                type = item_type(of, index)
            case Use(builtin), _:
                type = builtin_type(builtin, types)
        if type is None:
            raise _Broken(f"{what} is not for {', '.join(map(str, types)) or 'nothing'}")
        return type

    def _items(self, items: tuple[Expression, ...], type: Type) -> Type:
        _demand(type.kind == "list" and is_type(type), f"{type} is no type of a list")
        for item in items:
            _demand(self._value(item, reads=False) == type.of[0], f"the items are {type.of[0]}")
        return type

    def _call(self, call: Call) -> Type:
        if call.function not in self.known or not call.function:
            raise _Broken(f"no function {call.function} is made before")
        function = self.known[call.function]
        wanted = [type for _, type in function.parameters]
        given = [self._expression(each) for each in call.arguments]
        _demand(given == wanted, f"{call.function} takes {', '.join(map(str, wanted)) or 'nothing'}")
        return function.returns


def _parts(value: Operation | Not | Minus | Pick | Item | Use) -> tuple[str, tuple[Expression, ...]]:
    match value:
        case Operation(operator, left, right):
            return operator, (left, right)
        case Not(of):
            return "not", (of,)
        case Minus(of):
            return "-", (of,)
        case Pick(condition, then, otherwise):
            return "a choice", (condition, then, otherwise)
        case Item(of, index):
            return "an item", (of, index)
        case Use(builtin, arguments):
            return builtin, arguments


def _constant(constant: Constant) -> Type:
    value = constant.value
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        _demand(abs(value) <= MOST, f"a number is at most {MOST}")
        return INT
    _demand(all(" " <= each <= "~" for each in value), f"{value!r} is not printable ASCII")
    return STR


def has_break(block: Block) -> bool:
    """Return whether a loop's body holds a `Break` of this loop."""
    return any(
        isinstance(each, Break) or (isinstance(each, If) and (has_break(each.then) or has_break(each.otherwise)))
        for each in block
    )


def _returns(block: Block) -> bool:
    match block[-1:]:
        case (Return(),):
            return True
        case (If(_, then, otherwise),):
            return _returns(then) and _returns(otherwise)
    return False
