"""The schema: current, and all of the contract. What it keeps to is in test_schema_style.py."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_required_argument,
    print_ast,
)

from graph.schema import schema

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT.parent / "shared" / "contract.graphql"
_BUILT_IN = {"String", "Int", "Float", "Boolean", "ID"}


def _types(of: GraphQLSchema) -> list[GraphQLNamedType]:
    return [
        type_ for name, type_ in of.type_map.items() if not name.startswith("__") and name not in _BUILT_IN
    ]


def _members(type_: GraphQLNamedType) -> dict[str, Any]:
    if isinstance(type_, GraphQLEnumType):
        return dict(type_.values)
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return dict(type_.fields)
    return {}


def test_schema_graphql_is_current() -> None:
    """`make schema` writes it anew."""
    assert (ROOT / "schema.graphql").read_text() == schema.as_str() + "\n"


def _signature(member: Any, like: Any = None) -> str:
    """Type, default and arguments, in GraphQL's words: without optional arguments that `like` does not have."""
    signature = str(getattr(member, "type", "")) + _default(member)
    arguments = {
        name: argument
        for name, argument in getattr(member, "args", {}).items()
        if like is None or name in like.args or is_required_argument(argument)
    }
    listed = [f"{name}: {_signature(arguments[name])}" for name in sorted(arguments)]
    return f"({', '.join(listed)}) {signature}"


def _default(member: Any) -> str:
    node = getattr(member, "ast_node", None)
    default = getattr(node, "default_value", None)
    return f" = {print_ast(default)}" if default else ""


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not part of this repository")
def test_the_schema_has_all_of_the_contract() -> None:
    """Names, kinds, nullability, defaults and arguments."""
    ours, differences = build_schema(schema.as_str()), []
    for wanted in _types(build_schema(CONTRACT.read_text())):
        have = ours.type_map.get(wanted.name)
        if type(have) is not type(wanted):
            differences.append(wanted.name)
            continue
        members = _members(have)
        for name, member in _members(wanted).items():
            if name not in members or _signature(member) != _signature(members[name], like=member):
                differences.append(f"{wanted.name}.{name}: {_signature(member)}")
        interfaces = {str(interface) for interface in getattr(wanted, "interfaces", ())}
        missing = interfaces - {str(interface) for interface in getattr(have, "interfaces", ())}
        differences += [f"{wanted.name} implements {interface}" for interface in missing]

    assert [] == differences
