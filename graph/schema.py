"""The GraphQL schema. `python -m graph.schema` prints it, which is what schema.graphql holds."""

import sys

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from graph.errors import presentable
from graph.limits import MAX_TOKENS, QueryLimits
from graph.mutations import Mutation
from graph.queries import Query
from graph.scalars import SCALARS
from graph.subscriptions import Subscription


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
    extensions=[lambda: MaxTokensLimiter(MAX_TOKENS), QueryLimits],
    config=StrawberryConfig(scalar_map=SCALARS, sort_schema=True, disable_field_suggestions=True),
)


if __name__ == "__main__":
    sys.stdout.write(schema.as_str() + "\n")
