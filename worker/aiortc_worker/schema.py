"""`python -m aiortc_worker.schema` prints the objects of the protocol as TypeScript, with their docstrings.

What the shim gives has its defaulted fields optional; what it gets has them, unless their struct omits defaults. A
field that names an object is a handle there.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final, cast

import msgspec.inspect as mi
from msgspec import Struct

from .media.payload import AudioHeader, VideoHeader
from .session.registry import MODULES, load
from .session.remote import Empty, Remote
from .session.session import Root

HEAD: Final = "The objects of the protocol. Generated from the worker's structs by `npm run generate`: do not edit."

ORDER: Final = "Objects that end together end in this order."

SIMPLE: Final[dict[type[mi.Type], str]] = {
    mi.AnyType: "unknown",
    mi.RawType: "unknown",
    mi.NoneType: "null",
    mi.BoolType: "boolean",
    mi.IntType: "number",
    mi.FloatType: "number",
    mi.StrType: "string",
}


class Writer:
    """Collects structs as they are met, each once."""

    def __init__(self) -> None:
        self._structs: dict[str, type[Struct]] = {}
        self._given: set[type[Struct]] = set()

    def module(self) -> str:
        """All of it."""
        objects: dict[str, type[Remote]] = {"Session": Root, **{name: load(name) for name in MODULES}}
        for cls in objects.values():
            for struct in [cls.In, *(call.takes for call in cls.calls.values())]:
                self._meet(struct, given=True)
            for struct in [*(call.gives for call in cls.calls.values()), *cls.events.values()]:
                self._meet(struct, given=False)
        for header in (VideoHeader, AudioHeader):
            self._meet(header, given=True)
        interfaces = [self._interface(name, struct) for name, struct in self._structs.items()]
        entries = [self._object(name, cls) for name, cls in objects.items()]
        doc = _comment("The objects by type: what makes one, its calls, its events.")
        orders = "".join(f"{name}: {cls.close_order},\n" for name, cls in objects.items())
        return "\n".join(
            [
                _comment(HEAD),
                "import type { Remote } from './Remote.ts';\n",
                *interfaces,
                f"{doc}export interface Objects {{\n{''.join(entries)}}}\n",
                f"{_comment(ORDER)}export const closeOrder: Record<keyof Objects, number> = {{\n{orders}}};\n",
            ]
        )

    def _meet(self, struct: type[Struct], given: bool) -> None:
        if given and struct in self._given:
            return
        known = self._structs.setdefault(_name(struct), struct)
        if known is not struct:
            raise SystemExit(f"two structs of one name: {_where(known)} and {_where(struct)}")
        if given:
            self._given.add(struct)
        for field in _fields(struct):
            for nested in _nested(field.type):
                if nested is not struct and (given or _name(nested) not in self._structs):
                    self._meet(nested, given)

    def _interface(self, name: str, struct: type[Struct]) -> str:
        if struct is Empty:
            return f"{_comment(struct.__doc__)}export type {name} = Record<string, never>;\n"
        docs = _field_docs(struct)
        info = cast(mi.StructType, mi.type_info(struct))
        lines = []
        for field in info.fields:
            optional = not field.required and (struct in self._given or struct.__struct_config__.omit_defaults)
            lines.append(_comment(docs.get(field.name)))
            lines.append(f"{field.encode_name}{'?' if optional else ''}: {_type(field.type)};\n")
        return f"{_comment(_own_doc(struct))}export interface {name} {{\n{''.join(lines)}}}\n"

    def _object(self, name: str, cls: type[Remote]) -> str:
        calls = [
            f"{_comment(row.method.__doc__)}{row.name}: {{ in: {_name(row.takes)}; out: {_name(row.gives)} }};\n"
            for row in cls.calls.values()
        ]
        events = [f"{event}: {_name(struct)};\n" for event, struct in cls.events.items()]
        inside = f"{{\n{''.join(calls)}}}" if calls else "Record<never, never>"
        parts = [f"in: {_name(cls.In)};", f"calls: {inside};", f"events: {{\n{''.join(events)}}};"]
        return f"{_comment(cls.__doc__)}{name}: {{\n{' '.join(parts)} }};\n"


def _name(struct: type[Struct]) -> str:
    return struct.__qualname__.replace(".", "")


def _where(struct: type[Struct]) -> str:
    return f"{struct.__module__}.{struct.__qualname__}"


def _fields(struct: type[Struct]) -> Iterable[mi.Field]:
    return cast(mi.StructType, mi.type_info(struct)).fields


def _nested(kind: mi.Type) -> Iterator[type[Struct]]:
    """The structs that a type names, however deep."""
    if isinstance(kind, mi.StructType):
        yield kind.cls
    for part in _parts(kind):
        yield from _nested(part)


def _parts(kind: mi.Type) -> Iterable[mi.Type]:
    if isinstance(kind, mi.UnionType):
        return kind.types
    if isinstance(kind, mi.DictType):
        return (kind.value_type,)
    if isinstance(kind, mi.ListType | mi.SetType | mi.FrozenSetType | mi.VarTupleType):
        return (kind.item_type,)
    return kind.item_types if isinstance(kind, mi.TupleType) else ()


def _type(kind: mi.Type) -> str:
    if isinstance(kind, mi.Metadata):
        types = (kind.extra or {}).get("names")
        return " | ".join(f"Remote<{json.dumps(name)}>" for name in types) if types else _type(kind.type)
    if isinstance(kind, mi.StructType):
        return _name(kind.cls)
    if isinstance(kind, mi.LiteralType):
        return " | ".join(json.dumps(value) for value in kind.values)
    parts = [_type(part) for part in _parts(kind)]
    if isinstance(kind, mi.UnionType):
        return " | ".join(parts)
    if isinstance(kind, mi.DictType):
        return f"Record<string, {parts[0]}>"
    if isinstance(kind, mi.TupleType):
        return f"[{', '.join(parts)}]"
    if parts:
        return f"({parts[0]})[]" if "|" in parts[0] else f"{parts[0]}[]"
    return SIMPLE[type(kind)]


def _own_doc(struct: type[Struct]) -> str | None:
    return struct.__dict__.get("__doc__")


def _field_docs(struct: type[Struct]) -> dict[str, str]:
    """The strings that follow fields in the source, which Python does not keep."""
    docs: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if not issubclass(cls, Struct) or cls is Struct:
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(definition, ast.ClassDef)
        body = definition.body
        for field, doc in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(doc, ast.Expr)
                and isinstance(doc.value, ast.Constant)
            ):
                docs[field.target.id] = str(doc.value.value)
    return docs


def _comment(doc: str | None) -> str:
    lines = inspect.cleandoc(doc).splitlines() if doc else []
    if not lines:
        return ""
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(Writer().module())
