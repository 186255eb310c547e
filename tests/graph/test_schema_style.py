"""The schema as a product: what every type, field, argument and value of it keeps to, so that clients find no surprise."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DEFAULT_DEPRECATION_REASON,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    validate_schema,
)

SCHEMA = (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8")
_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
_CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")
_UPPER = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")

NULLABLE_LISTS = {
    "Field.enum": "null: every value is allowed; an empty list would allow none",
    "FieldInput.enum": "left out: every value is allowed",
    "FieldInput.nullValues": "has a default",
    "UserError.field": "null: the whole operation is at fault, no single argument",
}
"""Lists that may be null, and what null says there that an empty list does not."""


def _types(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    for type_ in schema.type_map.values():
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_):
            yield type_


def _fields(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    """The output fields."""
    for type_ in _types(schema):
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            yield from ((f"{type_.name}.{name}", field) for name, field in type_.fields.items())


def _arguments(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    for place, field in _fields(schema):
        yield from ((f"{place}({name}:)", argument) for name, argument in field.args.items())


def _inputs(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """The fields of input types."""
    for type_ in _types(schema):
        if isinstance(type_, GraphQLInputObjectType):
            yield from ((f"{type_.name}.{name}", field) for name, field in type_.fields.items())


def _values(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    for type_ in _types(schema):
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{type_.name}.{name}", value) for name, value in type_.values.items())


def _members(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Everything that a type has, with its place."""
    for kind in (_fields, _arguments, _inputs, _values):
        yield from kind(schema)


def _name(place: str) -> str:
    return str(re.findall(r"\w+", place)[-1])


def described(schema: GraphQLSchema) -> Iterator[str]:
    """Everything has a description."""
    for place, thing in [*((type_.name, type_) for type_ in _types(schema)), *_members(schema)]:
        if not (thing.description or "").strip():
            yield f"{place} has no description"


def named(schema: GraphQLSchema) -> Iterator[str]:
    """PascalCase types, camelCase fields and arguments, UPPER_CASE values."""
    for type_ in _types(schema):
        if not _PASCAL.fullmatch(type_.name):
            yield f"{type_.name} is not PascalCase"
    for place, _ in [*_fields(schema), *_arguments(schema), *_inputs(schema)]:
        if not _CAMEL.fullmatch(_name(place)):
            yield f"{place} is not camelCase"
    for place, _ in _values(schema):
        if not _UPPER.fullmatch(_name(place)):
            yield f"{place} is not UPPER_CASE"


def listed(schema: GraphQLSchema) -> Iterator[str]:
    """Lists are [X!]!, but for those that NULLABLE_LISTS gives a reason for."""
    for place, member in [*_fields(schema), *_arguments(schema), *_inputs(schema)]:
        outer = member.type
        inner = outer.of_type if isinstance(outer, GraphQLNonNull) else outer
        if not isinstance(inner, GraphQLList):
            continue
        if not isinstance(inner.of_type, GraphQLNonNull):
            yield f"{place} may hold null: {outer}"
        if not isinstance(outer, GraphQLNonNull) and place not in NULLABLE_LISTS:
            yield f"{place} may be null: {outer}"


def mutated(schema: GraphQLSchema) -> Iterator[str]:
    """Mutations take one `input: XInput!` and answer `XPayload!` with `userErrors: [UserError!]!`."""
    for name, field in schema.mutation_type.fields.items() if schema.mutation_type else ():
        stem = name[0].upper() + name[1:]
        arguments = {argument: str(given.type) for argument, given in field.args.items()}
        if arguments != {"input": f"{stem}Input!"}:
            yield f"Mutation.{name} does not take exactly input: {stem}Input!"
        if str(field.type) != f"{stem}Payload!":
            yield f"Mutation.{name} does not answer {stem}Payload!"
        user_errors = getattr(get_named_type(field.type), "fields", {}).get("userErrors")
        if str(user_errors and user_errors.type) != "[UserError!]!":
            yield f"Mutation.{name} does not answer with userErrors: [UserError!]!"


def connected(schema: GraphQLSchema) -> Iterator[str]:
    """Connections follow Relay's specification: edges, nodes, pageInfo, cursors, first and after."""
    for type_ in _types(schema):
        if type_.name.endswith("Connection") and type_.name != "Connection":
            yield from _connection(schema, type_)
    for place, field in _fields(schema):
        if get_named_type(field.type).name.endswith("Connection"):
            given = {name: str(argument.type) for name, argument in field.args.items()}
            ways = [("first", "after"), ("last", "before")]
            if not any(given.get(size) == "Int" and given.get(cursor) == "String" for size, cursor in ways):
                yield f"{place} takes neither first: Int, after: String nor last: Int, before: String"
            if not isinstance(field.type, GraphQLNonNull):
                yield f"{place} may be null"


_PAGE_INFO = {
    "hasNextPage": "Boolean!", "hasPreviousPage": "Boolean!", "startCursor": "String", "endCursor": "String"
}  # fmt: skip


def _connection(schema: GraphQLSchema, type_: GraphQLNamedType) -> Iterator[str]:
    stem = type_.name.removesuffix("Connection")
    edge = f"{stem}Edge"
    yield from _lacking(type_, {"edges": f"[{edge}!]!", "nodes": f"[{stem}!]!", "pageInfo": "PageInfo!"})
    yield from _lacking(schema.get_type(edge), {"cursor": "String!", "node": f"{stem}!"})
    yield from _lacking(schema.get_type("PageInfo"), _PAGE_INFO)


def _lacking(type_: GraphQLNamedType | None, wanted: dict[str, str]) -> Iterator[str]:
    fields = getattr(type_, "fields", {})
    for name, signature in wanted.items():
        if name not in fields or str(fields[name].type) != signature:
            yield f"{type_ and type_.name} lacks {name}: {signature}"


def deprecated(schema: GraphQLSchema) -> Iterator[str]:
    """What is deprecated says why, and what to use."""
    for place, member in _members(schema):
        reason = member.deprecation_reason
        if reason is not None and (not reason.strip() or reason == DEFAULT_DEPRECATION_REASON):
            yield f"{place} is deprecated without a reason"


def specified(schema: GraphQLSchema) -> Iterator[str]:
    """Scalars of our own say where their format is written down."""
    for type_ in _types(schema):
        if isinstance(type_, GraphQLScalarType) and not (type_.specified_by_url or "").startswith("https://"):
            yield f"{type_.name} has no @specifiedBy"


Rule = Callable[[GraphQLSchema], Iterator[str]]
RULES: list[Rule] = [described, named, listed, mutated, connected, deprecated, specified]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_to_the_rule(rule: Rule) -> None:
    """All of it."""
    assert [] == list(rule(build_schema(SCHEMA)))


def test_the_schema_is_valid_graphql() -> None:
    """By graphql-core's own reading of the specification."""
    assert [] == validate_schema(build_schema(SCHEMA))


def test_every_exception_is_needed() -> None:
    """One whose list is gone, or can no longer be null, goes too."""
    schema = build_schema(SCHEMA)
    nullable = {
        place
        for place, member in [*_fields(schema), *_arguments(schema), *_inputs(schema)]
        if isinstance(member.type, GraphQLList)
    }

    assert set(NULLABLE_LISTS) == nullable & set(NULLABLE_LISTS)


_PAGED = """
type Query { jobs(first: Int, after: String): JobConnection! }
type JobConnection { edges: [JobEdge!]! nodes: [Job!]! pageInfo: PageInfo! }
type JobEdge { node: Job! cursor: String! }
type Job { id: ID! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
"""
_CHANGED = """
type Mutation { stop(input: StopInput!): StopPayload! }
input StopInput { id: ID! }
type StopPayload { userErrors: [UserError!]! }
type UserError { message: String! }
"""
_BROKEN = [
    (described, 'type Query { a: Int }', "Query has no description"),
    (described, '"""Q.""" type Query { a: Int }', "Query.a has no description"),
    (described, '"""Q.""" type Query { """A.""" a(b: Int): Int }', "Query.a(b:) has no description"),
    (described, '"""E.""" enum E { A }', "E.A has no description"),
    (described, '"""I.""" input I { a: Int }', "I.a has no description"),
    (described, 'scalar S', "S has no description"),
    (described, '"" scalar S', "S has no description"),
    (named, "type record_error { a: Int }", "record_error is not PascalCase"),
    (named, "type Query { first_name: Int }", "Query.first_name is not camelCase"),
    (named, "type Query { a(Id: ID): Int }", "Query.a(Id:) is not camelCase"),
    (named, "input I { A: Int }", "I.A is not camelCase"),
    (named, "enum E { Pending }", "E.Pending is not UPPER_CASE"),
    (named, "enum E { A__B }", "E.A__B is not UPPER_CASE"),
    (listed, "type Query { a: [Int!] }", "Query.a may be null: [Int!]"),
    (listed, "type Query { a: [Int]! }", "Query.a may hold null: [Int]!"),
    (listed, "type Query { a(b: [Int!]): Int }", "Query.a(b:) may be null: [Int!]"),
    (listed, "type Field { enum: [String] }", "Field.enum may hold null: [String]"),
    (mutated, _CHANGED.replace("input: StopInput!", "id: ID!"), "Mutation.stop does not take exactly input: StopInput!"),
    (mutated, _CHANGED.replace("(input: StopInput!)", "(input: StopInput!, now: Int)"), "Mutation.stop does not take exactly input: StopInput!"),
    (mutated, _CHANGED.replace("input: StopInput!", "input: StopInput"), "Mutation.stop does not take exactly input: StopInput!"),
    (mutated, _CHANGED.replace("StopPayload", "Stopped"), "Mutation.stop does not answer StopPayload!"),
    (mutated, _CHANGED.replace("[UserError!]!", "[UserError!]"), "Mutation.stop does not answer with userErrors: [UserError!]!"),
    (connected, _PAGED.replace("nodes: [Job!]! ", ""), "JobConnection lacks nodes: [Job!]!"),
    (connected, _PAGED.replace("edges: [JobEdge!]! ", ""), "JobConnection lacks edges: [JobEdge!]!"),
    (connected, _PAGED.replace("pageInfo: PageInfo!", ""), "JobConnection lacks pageInfo: PageInfo!"),
    (connected, _PAGED.replace(" cursor: String!", ""), "JobEdge lacks cursor: String!"),
    (connected, _PAGED.replace("endCursor: String", ""), "PageInfo lacks endCursor: String"),
    (connected, _PAGED.replace(", after: String", ""), "Query.jobs takes neither first: Int, after: String nor last: Int, before: String"),
    (connected, _PAGED.replace("JobConnection! }", "JobConnection }"), "Query.jobs may be null"),
    (deprecated, "type Query { a: Int @deprecated }", "Query.a is deprecated without a reason"),
    (deprecated, 'enum E { A @deprecated(reason: "") }', "E.A is deprecated without a reason"),
    (deprecated, "type Query { a(b: Int @deprecated): Int }", "Query.a(b:) is deprecated without a reason"),
    (deprecated, "input I { a: Int @deprecated }", "I.a is deprecated without a reason"),
    (specified, "scalar Money", "Money has no @specifiedBy"),
    (specified, 'scalar Money @specifiedBy(url: "")', "Money has no @specifiedBy"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "broken", "said"),
    _BROKEN,
    ids=[f"{number} {said}" for number, (_, _, said) in enumerate(_BROKEN)],
)
def test_the_rule_finds_what_breaks_it(rule: Rule, broken: str, said: str) -> None:
    """A rule that finds nothing anywhere would be none."""
    assert said in list(rule(build_schema(broken, assume_valid=True)))


@pytest.mark.parametrize(
    ("rule", "kept"), [(connected, _PAGED), (mutated, _CHANGED)], ids=["connected", "mutated"]
)
def test_the_rule_lets_through_what_keeps_to_it(rule: Rule, kept: str) -> None:
    """The broken schemas differ from these in one place."""
    assert [] == list(rule(build_schema(kept, assume_valid=True)))
