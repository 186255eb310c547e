"""What one operation may ask for: length, depth, aliases, nodes and repetitions.

Only the operation that runs is measured. Fragments are measured once each, however often they are spread, so that a chain of fragments that doubles at every
link costs no more to measure than to write.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from graph.connections import DEFAULT_FIRST, MAX_FIRST_RECORDS
from graph.errors import bad_user_input
from settings import settings

MAX_QUERY_CHARS = settings.max_document_chars
MAX_TOKENS = settings.max_tokens
MAX_PAIRS = 5_000
"""GraphQL compares the fields of one name in one place pair by pair: 2,000 tokens can mean 100,000 pairs, and a second."""
MAX_OBJECTS = 1_000
"""In one list of a variable: GraphQL makes an input of each before anybody can count them."""
MAX_DEPTH = settings.max_depth
MAX_ALIASES = settings.max_aliases
MAX_NODES = settings.max_nodes
MAX_ERRORS = 5
"""Of validation: for each, GraphQL looks through the document for its line, and may print half of it."""
_COUNTLESS = 10**12
"""Measures stop growing here: products along a malicious chain would become numbers of thousands of digits."""

_LISTS = frozenset({"jobs", "recordSchemas", "records", "errors", "retries"})
_WEIGHTS = {"fields": 50, "errorSummary": 50}
"""Lists without `first`, which count as so many nodes each."""
_SCHEMA_WEIGHTS = {"types": 60, "fields": 50, "args": 2, "inputFields": 10, "enumValues": 15}
"""The same for introspection: one whole schema is allowed, and every field of every field's type is not."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection asks for."""

    depth: int = 0
    aliases: int = 0
    nodes: int = 0

    def beside(self, other: "Measure") -> "Measure":
        """Both in one selection."""
        return Measure(
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, _COUNTLESS),
            min(self.nodes + other.nodes, _COUNTLESS),
        )


class QueryLimits(SchemaExtension):
    """Refuses an operation that asks for too much, before anything else looks at it."""

    def on_operation(self) -> Iterator[None]:
        """The parser's limit counts tokens, however long they are."""
        if len(self.execution_context.query or "") > MAX_QUERY_CHARS:
            raise bad_user_input(
                f"The document is too long: {MAX_QUERY_CHARS:,} characters are allowed. Give values as variables."
            )
        yield

    def on_validate(self) -> Iterator[None]:
        """Measured ahead of GraphQL's own rules, some of which take long for what we refuse here; then those rules."""
        context = self.execution_context
        if context.graphql_document is not None:
            # `operation_name` there is the first operation's when the client gave none.
            name = context._provided_operation_name  # noqa: SLF001
            given = context.variables or {}
            errors = [*excesses(context.graphql_document, given, name), *_long_lists(given)]
            rules = (*context.validation_rules, MaybeNullValidationRule, OneOfInputValidationRule)
            context.pre_execution_errors = (
                errors or validated(context.schema._schema, context.graphql_document, rules) or None  # noqa: SLF001
            )
            context.validation_rules = ()  # Strawberry need not do it again, with a hundred errors
        yield


def validated(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Collection[type[ASTValidationRule]] = specified_rules,
) -> list[GraphQLError]:
    """What GraphQL's rules say, up to so many errors as nobody reads more of."""
    return validate(schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=True)


def excesses(
    document: DocumentNode, variables: Mapping[str, Any], operation_name: str | None = None
) -> Iterator[GraphQLError]:
    """An error for each limit that the operation exceeds, or one when it is not clear which operation is meant."""
    if _pairs(document) > MAX_PAIRS:
        yield bad_user_input("The document repeats the same fields or fragments too often in the same place.")
        return
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name is not None:
        operations = [node for node in operations if node.name and node.name.value == operation_name]
    if len(operations) > 1:
        yield bad_user_input("The document has several operations: say in `operationName` which one to run.")
        return
    for operation in operations:
        yield from _over(_Ruler.of(document, operation, variables).measure(operation.selection_set))


def _over(measure: Measure) -> Iterator[GraphQLError]:
    if measure.depth > MAX_DEPTH:
        yield bad_user_input(f"The operation is nested too deeply: {MAX_DEPTH} levels are allowed.")
    if measure.aliases > MAX_ALIASES:
        yield bad_user_input(f"The operation has too many aliases: {MAX_ALIASES} are allowed.")
    if measure.nodes > MAX_NODES:
        yield bad_user_input(
            f"The operation asks for more than {MAX_NODES:,} nodes: that is the product of `first` along each path, and "
            f"{_WEIGHTS['fields']} for each list of fields or summary of errors. Ask for smaller pages, or for the inner lists one job at a time."
        )


class _Ruler:
    """Measures the selections of one operation of a document."""

    def __init__(
        self,
        fragments: Mapping[str, FragmentDefinitionNode],
        given: Mapping[str, Any],
        introspection: "_Ruler | None" = None,
    ) -> None:
        """Without an `introspection` of its own, it is the one that measures selections below `__schema` and `__type`."""
        self._fragments = fragments
        self._given = given
        self._introspection = introspection or self
        self._weights = _WEIGHTS if introspection else _SCHEMA_WEIGHTS
        self._measured: dict[str, Measure] = {}

    @classmethod
    def of(
        cls, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> "_Ruler":
        """For one operation of the document."""
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        return cls(fragments, {**dict(_defaults(operation)), **variables}, cls(fragments, {}))

    def measure(self, selections: SelectionSetNode | None) -> Measure:
        total = Measure()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node))
            elif isinstance(node, InlineFragmentNode):
                total = total.beside(self.measure(node.selection_set))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._fragment(node.name.value))
        return total

    def _field(self, node: FieldNode) -> Measure:
        name, aliases = node.name.value, int(node.alias is not None)
        if name.startswith("__"):
            inner = self._introspection.measure(node.selection_set)
            # GraphQL limits the depth of introspection itself.
            return Measure(0, min(inner.aliases + aliases, _COUNTLESS), inner.nodes)
        inner = self.measure(node.selection_set)
        times = self._times(node)
        nodes = min(times * max(1, inner.nodes), _COUNTLESS) if times else inner.nodes
        return Measure(inner.depth + 1, min(inner.aliases + aliases, _COUNTLESS), nodes)

    def _fragment(self, name: str) -> Measure:
        if name not in self._measured:
            self._measured[name] = (
                Measure()
            )  # what a fragment finds that spreads itself; GraphQL refuses it later
            fragment = self._fragments.get(name)
            self._measured[name] = self.measure(fragment.selection_set) if fragment else Measure()
        return self._measured[name]

    def _times(self, node: FieldNode) -> int:
        """How many elements a list has at most; 0 for what is no list."""
        is_paged = self._introspection is not self and node.name.value in _LISTS
        return self._first(node) if is_paged else self._weights.get(node.name.value, 0)

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                return self._number(argument.value)
        return DEFAULT_FIRST

    def _number(self, value: ValueNode) -> int:
        if isinstance(value, IntValueNode):
            return max(1, _literal(value))  # a negative one would pay for what stands beside it
        given = self._given.get(value.name.value) if isinstance(value, VariableNode) else None
        if given is None:
            return DEFAULT_FIRST
        if isinstance(given, int | float) and math.isfinite(given):  # 1000.0 is an Int, too
            return max(1, int(given))
        return MAX_FIRST_RECORDS


def _defaults(operation: OperationDefinitionNode) -> Iterator[tuple[str, int]]:
    """The default values of the operation's variables."""
    for definition in operation.variable_definitions or ():
        if isinstance(definition.default_value, IntValueNode):
            yield definition.variable.name.value, _literal(definition.default_value)


def _literal(node: IntValueNode) -> int:
    return int(node.value) if len(node.value) < len(str(_COUNTLESS)) else _COUNTLESS


def _pairs(document: DocumentNode) -> int:
    """How many pairs of fields or fragments GraphQL's validation may compare, in all operations and fragments."""
    counts = Counter(
        place
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
        for place in _places(node.selection_set, "")
    )
    return sum(count * (count - 1) // 2 for count in counts.values())


def _places(selections: SelectionSetNode | None, parent: str) -> Iterator[tuple[str, str]]:
    """The parent and the name in the answer of each field; fragments that are spread count under one name."""
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            name = (node.alias or node.name).value
            yield parent, name
            yield from _places(node.selection_set, name)
        elif isinstance(node, InlineFragmentNode):
            yield from _places(node.selection_set, parent)
        else:
            yield parent, "..."


def _long_lists(given: Mapping[str, Any]) -> Iterator[GraphQLError]:
    """One error when a variable holds a list of too many objects, at any depth."""
    waiting: list[Any] = list(given.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            nested = [element for element in value if isinstance(element, dict | list)]
            if len(nested) > MAX_OBJECTS:
                yield bad_user_input(f"A list may have at most {MAX_OBJECTS:,} objects.")
                return
            waiting += nested
