"""What runs each command; sluice/cli.py says what there is to type. Imports wait until a command needs them."""

import asyncio
import json
import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from sluice.errors import SluiceError

if TYPE_CHECKING:
    from sluice.client import ApiClient
    from sluice.endpoints import Services
    from sluice.submit import Make


def serve(_: Namespace) -> int:
    """`sluice serve`."""
    from sluice import logs
    from sluice.serve import serve

    logs.configure()
    asyncio.run(serve())
    return 0


def api(_: Namespace) -> int:
    """`sluice api`."""
    _attach()
    from sluice import api, logs

    logs.configure()
    api.run()
    return 0


def worker(_: Namespace) -> int:
    """`sluice worker`."""
    services = _attach()
    from sluice import logs
    from tasks import worker

    logs.configure()
    worker.main(services.database_url, services.redis_url)
    return 0


def _attach() -> "Services":
    """The servers to work with. Settings are read once: found elsewhere, they go into the environment first."""
    from sluice import database

    services = database.services()
    if not services.environment.items() <= os.environ.items():
        os.environ |= services.environment
        os.execv(sys.executable, [sys.executable, "-m", "sluice", *sys.argv[1:]])  # noqa: S606 - ourselves
    return services


def migrate(_: Namespace) -> int:
    """`sluice migrate`."""
    from sluice import database
    from sluice.migrate import migrate

    applied = asyncio.run(migrate(database.database_url()))
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do: the database is up to date")
    return 0


def demo(options: Namespace) -> int:
    """`sluice demo`."""
    from sluice.demo import demo

    return asyncio.run(demo(keep=options.keep))


def partner_create(options: Namespace) -> int:
    """`sluice partner create`."""
    from sluice import database, partners

    key = asyncio.run(partners.create(database.database_url(), options.name))
    print(
        f"Partner {options.name} is saved. Its API key, which is shown this once:",
        file=sys.stderr,
        flush=True,
    )
    print(key)
    return 0


def schema_create(options: Namespace) -> int:
    """`sluice schema create`."""
    from sluice.schema_file import SchemaFile

    client = _client(options)
    saved = asyncio.run(SchemaFile.read(options.file).save(client))
    print(json.dumps(saved) if options.json else saved["id"])
    return 0


def submit(options: Namespace) -> int:
    """`sluice submit`."""
    from sluice import submit

    client = _client(options)
    make = submit.submitting(
        client, options.file, options.schema,
        file_format=options.format, dry_run=options.dry_run, on_failure=options.on_failure,
    )  # fmt: skip
    return _make(options, client, options.file.name, make)


def retry(options: Namespace) -> int:
    """`sluice retry`."""
    from sluice import submit

    client = _client(options)
    make = submit.retrying(
        client, options.job, options.file,
        schema_id=options.schema, file_format=options.format, idempotency_key=options.idempotency_key,
    )  # fmt: skip
    return _make(options, client, options.file.name if options.file else "rejected records", make)


def commit(options: Namespace) -> int:
    """`sluice commit`."""
    from sluice import submit

    client = _client(options)
    return _make(options, client, "commit", submit.committing(client, options.job))


def _make(options: Namespace, client: "ApiClient", title: str, make: "Make") -> int:
    from sluice import submit

    return asyncio.run(submit.run(client, title, make, watch=options.watch, as_json=options.json))


def discard(options: Namespace) -> int:
    """`sluice discard`."""
    from sluice import discard

    if not options.yes:
        discard.require_terminal()
        question = asyncio.run(discard.question(_client(options), options.job))
        if not discard.is_agreed(question):
            return 1
    return asyncio.run(discard.discard(_client(options), options.job, as_json=options.json))


def jobs(options: Namespace) -> int:
    """`sluice jobs`."""
    from sluice import jobs

    return asyncio.run(jobs.jobs(_client(options), options.first, options.status, as_json=options.json))


def job(options: Namespace) -> int:
    """`sluice job`."""
    from sluice import jobs

    return asyncio.run(jobs.job(_client(options), options.job, watch=options.watch, as_json=options.json))


def errors(options: Namespace) -> int:
    """`sluice errors`."""
    from sluice import downloads, jobs

    if options.download:
        if options.field or options.code:
            raise SluiceError("--download saves all errors of the job: leave out --field and --code")
        return asyncio.run(
            downloads.download(_client(options), options.job, options.download, as_json=options.json)
        )
    only = {"field": options.field, "code": options.code}
    wanted = {name: value for name, value in only.items() if value is not None}
    return asyncio.run(jobs.errors(_client(options), options.job, wanted, as_json=options.json))


def cancel(options: Namespace) -> int:
    """`sluice cancel`."""
    from sluice import jobs

    return asyncio.run(jobs.cancel(_client(options), options.job, as_json=options.json))


def _client(options: Namespace) -> "ApiClient":
    from settings import settings
    from sluice import stack
    from sluice.client import ApiClient

    if not options.key:
        raise SluiceError(
            "no API key: give --key or set SLUICE_API_KEY (`sluice partner create NAME` makes one)"
        )
    return ApiClient(options.url or stack.address(settings.host, settings.port), options.key)
