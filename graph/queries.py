"""What can be read. Whatever is not the caller's own looks as if it did not exist."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from graph import ids
from graph.connections import After, Connection, First
from graph.context import Info
from graph.types import Node, Partner, given
from graph.types_job import Job, JobFilter, job_page
from graph.types_schema import RecordSchema, latest_schema_page, record_schema_page

_GlobalId = Annotated[strawberry.ID, strawberry.argument(description="A global id.")]


@strawberry.type(description="What can be read.")
class Query:
    """What can be read."""

    @strawberry.field(description="Anything by its global id; null when it does not exist or is not yours.")
    async def node(self, info: Info, id: _GlobalId) -> Node | None:
        """Anything by its global id."""
        parsed = ids.parse(id)
        match parsed and parsed[0]:
            case "Job":
                return await _job(info, id)
            case "RecordSchema":
                return await _record_schema(info, id)
            case "Partner" if parsed and parsed[1] == info.context.partner.id:
                return Partner.of(info.context.partner)
        return None

    @strawberry.field(description="The partner whose API key this is.")
    def viewer(self, info: Info) -> Partner:
        """The partner whose API key this is."""
        return Partner.of(info.context.partner)

    @strawberry.field(description="A job; null when it does not exist or belongs to somebody else.")
    async def job(self, info: Info, id: _GlobalId) -> Job | None:
        """A job."""
        return await _job(info, id)

    @strawberry.field(description="Your jobs, newest first.")
    async def jobs(
        self,
        info: Info,
        first: First = 20,
        after: After = UNSET,
        filter: Annotated[
            JobFilter | None, strawberry.argument(description="Which jobs; left out: all.")
        ] = UNSET,
    ) -> Connection[Job]:
        """Your jobs."""
        return await job_page(info.context.partner, first, after, filter or JobFilter())

    @strawberry.field(description="A record schema; null when it does not exist or belongs to somebody else.")
    async def record_schema(self, info: Info, id: _GlobalId) -> RecordSchema | None:
        """A record schema."""
        return await _record_schema(info, id)

    @strawberry.field(
        description=(
            "Your record schemas: all versions, newest first, unless `name` or `latest` asks for fewer. The cursors of all versions, "
            "of those of a name, and of the newest ones are not the same."
        )
    )
    async def record_schemas(
        self,
        info: Info,
        first: First = 20,
        after: After = UNSET,
        name: Annotated[
            str | None,
            strawberry.argument(
                description="Only versions of this name, newest first; left out: of every name."
            ),
        ] = UNSET,
        latest: Annotated[
            bool,
            strawberry.argument(
                description="True: only the newest version of each name, in the order of the names."
            ),
        ] = False,
    ) -> Connection[RecordSchema]:
        """Your record schemas."""
        partner = info.context.partner
        if latest:
            return await latest_schema_page(partner, first, after, given(name))
        return await record_schema_page(partner, first, after, given(name))


async def _job(info: Info, id: str) -> Job | None:
    row = await info.context.job(id)
    return Job.of(row) if row else None


async def _record_schema(info: Info, id: str) -> RecordSchema | None:
    row = await info.context.record_schema(id)
    return RecordSchema.of(row) if row else None
