"""BFCL's function documents as OpenAI-style tools with JSON Schema.

BFCL names types as the languages do that its functions are of. Names lose their dots, which no provider's
tools may have. An optional parameter may be null, which says as much as leaving it out.
"""

from collections.abc import Mapping
from typing import Literal

from palestra.envs.actions import function_tool
from palestra.envs.base import Json

Language = Literal["python", "java", "javascript"]

_TYPES = {
    "string": ("string", "String", "char"),
    "integer": ("integer", "long", "short", "byte", "Bigint"),
    "number": ("float", "double", "number"),
    "boolean": ("boolean", "Boolean"),
    "array": ("array", "tuple", "Array", "ArrayList"),
    "object": ("dict", "HashMap"),
}
JSON_TYPES: Mapping[str, str] = {theirs: ours for ours, names in _TYPES.items() for theirs in names}
_KEPT = ("description", "default", "minItems", "maxItems", "minimum", "maximum")


def language_of(category: str) -> Language:
    """Return the language that a category's functions are of."""
    if category == "simple_java":
        return "java"
    return "javascript" if category == "simple_javascript" else "python"


def tool_name(name: str) -> str:
    """Return a function's name as a tool may have it: ``math.factorial`` becomes ``math_factorial``."""
    return name.replace(".", "_")


def tool(document: Mapping[str, Json], language: Language = "python") -> dict[str, Json]:
    """Return a function document as a tool.

    A parameter of a Java or JavaScript function that is no text also takes text, since the name of a
    variable or an expression may be meant.
    """
    parameters = document["parameters"]
    required = parameters.get("required", ())
    properties = {}
    for name, declared in parameters["properties"].items():
        schema = _schema(declared)
        if language != "python":
            schema["description"] = f"{declared.get('description', '')} ({language} {declared['type']})".strip()
            schema = _or(schema, "string")
        properties[name] = schema if name in required else _or(schema, "null")
    needed = [name for name in required if name in properties]
    return function_tool(tool_name(document["name"]), document.get("description", ""), properties, needed)


def _schema(declared: Mapping[str, Json]) -> dict[str, Json]:
    """Return a declared type as JSON Schema; what BFCL calls "any" takes anything."""
    schema = {name: declared[name] for name in _KEPT if name in declared}
    if declared.get("type") in JSON_TYPES:
        schema["type"] = JSON_TYPES[declared["type"]]
    if "enum" in declared:
        schema["enum"] = list(declared["enum"])
    if isinstance(declared.get("items"), Mapping):
        schema["items"] = _schema(declared["items"])
    if isinstance(declared.get("properties"), Mapping):
        schema["properties"] = {name: _schema(inner) for name, inner in declared["properties"].items()}
        schema["required"] = [name for name in declared.get("required", ()) if name in schema["properties"]]
    return schema


def _or(schema: dict[str, Json], kind: str) -> dict[str, Json]:
    """Return the schema widened by another type."""
    if "type" not in schema or schema["type"] == kind:
        return schema
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    widened = {**schema, "type": [*kinds, kind]}
    if kind == "null" and "enum" in schema:
        widened["enum"] = [*schema["enum"], None]
    return widened
