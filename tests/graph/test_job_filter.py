"""Jobs by what they are: dry runs or not, alone and together with the other conditions."""

from typing import Any

import httpx

from models import RecordSchema
from tests.factories import make_job
from tests.graph.api import Owner, data, id_of
from tests.graph.rows import finish, make_schema

_JOBS = "query ($filter: JobFilter) { jobs(filter: $filter) { totalCount nodes { id dryRun } } }"


async def test_dry_runs_are_listed_alone_or_left_out(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, schema: RecordSchema
) -> None:
    """Null is as good as leaving it out; one's own only; together with status and schema."""
    newer = await make_schema(partner=partner.row)
    real = await make_job(partner=partner.row, schema=schema)
    tried = await make_job(partner=partner.row, schema=schema, dry_run=True)
    done = await make_job(partner=partner.row, schema=newer, dry_run=True)
    await finish(done)
    await make_job(partner=other_partner.row, dry_run=True)

    async def found(**filter: Any) -> list[str]:
        page = (await data(app_client, partner, _JOBS, filter=filter))["jobs"]
        assert str(len(page["nodes"])) == page["totalCount"]
        return [node["id"] for node in page["nodes"]]

    newest_first = [id_of(done), id_of(tried), id_of(real)]
    assert newest_first == await found() == await found(dryRun=None)
    assert [id_of(done), id_of(tried)] == await found(dryRun=True)
    assert [id_of(real)] == await found(dryRun=False)
    assert [id_of(tried)] == await found(dryRun=True, status="PENDING")
    assert [id_of(done)] == await found(dryRun=True, recordSchemaId=id_of(newer), status="COMPLETED")
    assert [] == await found(dryRun=False, recordSchemaId=id_of(newer))
