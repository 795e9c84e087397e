"""Which types go together: what an operation, a builtin or a reader makes of the types it is given."""

from collections.abc import Sequence
from typing import Final

from palestra.envs.code.ir.nodes import (
    BOOL,
    INT,
    STR,
    Arithmetic,
    Builtin,
    Comparison,
    Logic,
    Reader,
    Type,
    list_of,
)

ARITHMETIC: Final[frozenset[str]] = frozenset(("+", "-", "*", "//", "%"))
EQUALITY: Final[frozenset[str]] = frozenset(("==", "!="))
COMPARISONS: Final[frozenset[str]] = EQUALITY | {"<", "<=", ">", ">="}
READERS: Final[dict[Reader, tuple[int, Type]]] = {  # sizes, and what is read
    "int": (0, INT),
    "word": (0, STR),
    "line": (0, STR),
    "ints": (1, list_of(INT)),
    "words": (1, list_of(STR)),
    "lines": (1, list_of(STR)),
    "rows": (2, list_of(list_of(INT))),
}
_SCALARS: Final = (INT, BOOL, STR)


def is_scalar(type: Type) -> bool:
    """Return whether a value of this type is copied when it is handed on: a number, a truth or a text."""
    return type in _SCALARS


def is_flat(type: Type) -> bool:
    """Return whether a type is that of lists that hold no lists."""
    return type.kind == "list" and is_scalar(type.of[0])


def is_type(type: Type) -> bool:
    """Return whether variables may have a type."""
    match type:
        case Type("list", (item,)):
            return is_scalar(item) or is_flat(item)
        case Type("map", (key, value)):
            return key in (INT, STR) and is_scalar(value)
    return is_scalar(type)


def operation_type(operator: Arithmetic | Comparison | Logic, left: Type, right: Type) -> Type | None:
    """Return the type of an operation's result, or None if it is not for these types."""
    if left != right:
        return None
    if operator in ARITHMETIC:
        return INT if left == INT else None
    if operator in COMPARISONS:
        return BOOL if left in (INT, STR) or (left == BOOL and operator in EQUALITY) else None
    return BOOL if left == BOOL else None


def item_type(of: Type, index: Type) -> Type | None:
    """Return the type of what stands at an index or under a key, or None if nothing does."""
    match of:
        case Type("list", (item,)) if index == INT:
            return item
        case Type("str") if index == INT:
            return STR
        case Type("map", (key, value)) if index == key:
            return value
    return None


def builtin_type(builtin: Builtin, types: Sequence[Type]) -> Type | None:
    """Return the type of what a builtin makes, or None if it is not for arguments of these types."""
    match builtin, (*types,):
        case "len", (Type("str" | "list" | "map"),):
            return INT
        case "abs", (Type("int"),):
            return INT
        case (("min" | "max"), (Type("int"), Type("int"))):
            return INT
        case (("ord" | "int"), (Type("str"),)):
            return INT
        case (("chr" | "str"), (Type("int"),)):
            return STR
        case _:
            return _of_maps(builtin, types) or _of_lists_and_texts(builtin, types)


def _of_lists_and_texts(builtin: Builtin, types: Sequence[Type]) -> Type | None:
    match builtin, (*types,):
        case "concat", (left, right) if left == right and (left == STR or is_flat(left)):
            return left
        case "slice", (of, Type("int"), Type("int")) if of == STR or is_flat(of):
            return of
        case "reversed", (of,) if of == STR or is_flat(of):
            return of
        case "repeat", (item, Type("int")) if is_scalar(item):
            return list_of(item)
        case "grid", (item, Type("int"), Type("int")) if is_scalar(item):
            return list_of(list_of(item))
        case "sorted", (Type("list", (Type("int" | "str"),)) as of,):
            return of
        case "copy", (Type("list" | "map") as of,):
            return of
        case "contains", (Type("list", (Type("int" | "str") as item,)), what) if what == item:
            return BOOL
        case "contains", (Type("str"), Type("str")):
            return BOOL
        case "join", (Type("list", (Type("str"),)), Type("str")):
            return STR
        case "split", (Type("str"),):
            return list_of(STR)
    return None


def _of_maps(builtin: Builtin, types: Sequence[Type]) -> Type | None:
    match builtin, (*types,):
        case "has", (Type("map", (key, _)), what) if what == key:
            return BOOL
        case "get", (Type("map", (key, value)), what, otherwise) if (what, otherwise) == (key, value):
            return value
        case "keys", (Type("map", (key, _)),):
            return list_of(key)
    return None
