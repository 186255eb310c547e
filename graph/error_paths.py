"""The paths of a page of errors: the schema from which they are derived is loaded once, and only when one is asked for."""

import asyncio

import models
from graph.context import Info
from tasks.pipeline.definition import define
from tasks.pipeline.paths import PathOf, path_of
from tasks.pipeline.record import FileFormat


class ErrorPaths:
    """Of the errors of one job."""

    def __init__(self, job: models.Job) -> None:
        self._job = job
        self._turn = asyncio.Lock()
        self._path_of: PathOf | None = None

    async def path(self, info: Info, index: int, field: str | None, source: str | None) -> str | None:
        """See `RecordError.path`; its length is taken from the operation's allowance."""
        path = (self._path_of or await self._loaded(info))(index, field, source)
        info.context.allowance(info.operation).take(len(path or ""))
        return path

    async def _loaded(self, info: Info) -> PathOf:
        async with self._turn:
            if self._path_of is None:
                schema = await info.context.record_schemas.load(self._job.record_schema_id)
                self._path_of = path_of(FileFormat(self._job.format), define(schema.definition))
        return self._path_of
