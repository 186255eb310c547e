"""The GraphQL schema. `python -m graph.schema` prints it, which is what schema.graphql holds."""

import sys
from typing import Any

import strawberry
from graphql import Executor, GraphQLError
from strawberry.extensions import MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionContext

from graph.errors import presentable
from graph.limits import MAX_TOKENS, QueryLimits
from graph.mutations import Mutation
from graph.queries import Query
from graph.scalars import SCALARS
from graph.subscriptions import Subscription


class EventExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core 3.3 keeps 2 KB of each event of a subscription, in a cache that all its events share, to its end."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """An executor with a cache of its own."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001  # no other way to it
        return executor


class Schema(strawberry.Schema):
    """Every error leaves with a code, and what is our fault is masked."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Sees all errors of all operations, over HTTP and WebSocket, before they are sent.

        Changed in place: that list is what is sent. Clients' own mistakes are not logged.
        """
        errors[:] = [presentable(error) for error in errors]


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=EventExecutor,
    extensions=[lambda: MaxTokensLimiter(MAX_TOKENS), QueryLimits],
    config=StrawberryConfig(scalar_map=SCALARS, sort_schema=True, disable_field_suggestions=True),
)


if __name__ == "__main__":
    sys.stdout.write(schema.as_str() + "\n")
