"""The command line: what there is to type, and what runs it. Imports wait until a command needs them."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.errors import SluiceError

if TYPE_CHECKING:
    from sluice.client import ApiClient
    from sluice.endpoints import Services

_FORMATS = ("csv", "tsv", "json", "ndjson", "xml")
_DESCRIPTION = "Takes in partners' big, messy files over GraphQL. Settings are variables: SLUICE_PORT, SLUICE_DATA_DIR, …"


def main(arguments: list[str] | None = None) -> None:
    """Runs a command; exits with 0, 1 for what went wrong, 2 for what was mistyped, 130 for Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        _read_settings()
        code = options.run(options)
    except SluiceError as error:
        print(f"sluice: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _read_settings() -> None:
    """Before anybody else does, for whom a wrong one would be a traceback. Raises SluiceError."""
    from pydantic import ValidationError

    try:
        import settings  # noqa: F401
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise SluiceError("; ".join(map(_in_words, faults))) from None


def _in_words(fault: Any) -> str:
    reason = fault.get("ctx", {}).get("error") or fault["msg"]
    return f"SLUICE_{str(fault['loc'][0]).upper()}: {reason}"


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments; `run` in what it parses does the work."""
    top = argparse.ArgumentParser("sluice", description=_DESCRIPTION)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "serve", _serve, "PostgreSQL, Redis, API and workers until Ctrl-C")
    _add(commands, "api", _api, "one API process, for a PostgreSQL and a Redis that run already")
    _add(commands, "worker", _worker, "one worker process, likewise")
    _add(commands, "migrate", _migrate, "bring the database to the newest state")
    demo = _add(
        commands, "demo", _demo, "a Sluice of its own takes in four files; shows what becomes of them"
    )
    demo.add_argument("--keep", action="store_true", help="leave its folder behind")
    _add_partner(commands)
    _add_schema(commands)
    _add_submit(commands)
    return top


def _add(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], help: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    command.set_defaults(run=run)
    return command


def _add_partner(commands: Any) -> None:
    partner = commands.add_parser("partner", help="partners and their API keys")
    actions = partner.add_subparsers(metavar="ACTION", required=True)
    create = _add(actions, "create", _partner_create, "make a partner; prints the API key, once")
    create.add_argument("name", metavar="NAME")


def _add_schema(commands: Any) -> None:
    schema = commands.add_parser("schema", help="what partners' files look like")
    actions = schema.add_subparsers(metavar="ACTION", required=True)
    create = _add(actions, "create", _schema_create, "save a schema; prints its id")
    create.add_argument(
        "file", metavar="FILE", type=Path, help="JSON in the shape of CreateRecordSchemaInput"
    )
    _add_client(create)


def _add_submit(commands: Any) -> None:
    submit = _add(commands, "submit", _submit, "send a file; prints the job's id")
    submit.add_argument("file", metavar="FILE", type=Path)
    submit.add_argument("--schema", metavar="ID", required=True, help="id of the schema that describes it")
    submit.add_argument("--format", choices=_FORMATS, help="default: from the file name's extension")
    submit.add_argument("--watch", action="store_true", help="show its progress and what became of it")
    _add_client(submit)


def _add_client(command: argparse.ArgumentParser) -> None:
    command.add_argument("--key", default=os.environ.get("SLUICE_API_KEY"), help="default: $SLUICE_API_KEY")
    command.add_argument(
        "--url", help="address of the API; default: the one that SLUICE_HOST and SLUICE_PORT name"
    )


def _serve(_: argparse.Namespace) -> int:
    from sluice import logs
    from sluice.serve import serve

    logs.configure()
    asyncio.run(serve())
    return 0


def _api(_: argparse.Namespace) -> int:
    _attach()
    from sluice import api, logs

    logs.configure()
    api.run()
    return 0


def _worker(_: argparse.Namespace) -> int:
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


def _migrate(_: argparse.Namespace) -> int:
    from sluice import database
    from sluice.migrate import migrate

    applied = asyncio.run(migrate(database.database_url()))
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do: the database is up to date")
    return 0


def _partner_create(options: argparse.Namespace) -> int:
    from sluice import database, partners

    key = asyncio.run(partners.create(database.database_url(), options.name))
    print(
        f"Partner {options.name} is saved. Its API key, which is shown this once:",
        file=sys.stderr,
        flush=True,
    )
    print(key)
    return 0


def _schema_create(options: argparse.Namespace) -> int:
    from sluice import submit

    print(asyncio.run(submit.create_schema(_client(options), options.file)))
    return 0


def _submit(options: argparse.Namespace) -> int:
    from sluice import submit

    return asyncio.run(
        submit.submit(_client(options), options.file, options.schema, options.format, watch=options.watch)
    )


def _client(options: argparse.Namespace) -> "ApiClient":
    from settings import settings
    from sluice import stack
    from sluice.client import ApiClient

    if not options.key:
        raise SluiceError(
            "no API key: give --key or set SLUICE_API_KEY (`sluice partner create NAME` makes one)"
        )
    return ApiClient(options.url or stack.address(settings.host, settings.port), options.key)


def _demo(options: argparse.Namespace) -> int:
    from sluice.demo import demo

    return asyncio.run(demo(keep=options.keep))
