"""JSON values as literals of Java and JavaScript, in the forms that BFCL's converters read."""

import json
from collections.abc import Mapping

from palestra.envs.base import Json
from palestra.envs.bfcl.schema import Language

_SUFFIX: Mapping[str, str] = {"long": "L", "float": "f", "Bigint": "n"}


def literal(value: Json, schema: Mapping[str, Json], language: Language) -> str:
    """Return a value's literal for a parameter of a declared type. A text stays as it is: BFCL quotes none."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _list(value, schema, language)
    if isinstance(value, Mapping):
        return _object(value, language)
    return _scalar(value, schema.get("type", ""), language)


def _scalar(value: Json, kind: str, language: Language) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"{value}{_SUFFIX.get(kind, '') if (kind, language) != ('float', 'javascript') else ''}"
    return json.dumps(value)


def _list(value: list[Json], schema: Mapping[str, Json], language: Language) -> str:
    kind = schema.get("items", {}).get("type", "") if isinstance(schema.get("items"), Mapping) else ""
    items = ", ".join(_inner(item, kind, language) for item in value)
    if language == "javascript":
        return f"[{items}]"
    if schema.get("type") != "ArrayList":
        return f"new {kind or 'Object'}[]{{{items}}}"
    return f"new ArrayList<{kind}>(Arrays.asList({items}))" if items else f"new ArrayList<{kind}>()"


def _inner(value: Json, kind: str, language: Language) -> str:
    """Return a literal inside another; BFCL takes the quotes off the texts of a JavaScript list and an ArrayList."""
    if isinstance(value, (list, Mapping)):
        return literal(value, {}, language)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _scalar(value, kind, language)


def _object(value: Mapping[str, Json], language: Language) -> str:
    if language == "java":
        puts = " ".join(f'put("{key}", {_inner(inner, "", language)});' for key, inner in value.items())
        return f"new HashMap<String, Object>() {{{{ {puts} }}}}"
    return "{" + ", ".join(f'"{key}": {_inner(inner, "", language)}' for key, inner in value.items()) + "}"
