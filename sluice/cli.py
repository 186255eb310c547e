"""The command line: what there is to type. What runs it is in sluice/commands.py; docs/cli.md shows all of it."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sluice import commands
from sluice.errors import SluiceError

_FORMATS = ("csv", "tsv", "json", "ndjson", "xml")
_STATUSES = ("PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED")
_DESCRIPTION = "Takes in partners' big, messy files over GraphQL. Settings are variables: SLUICE_PORT, SLUICE_DATA_DIR, …"
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Runs a command; exits with 0, 1 for what went wrong, 2 for what was mistyped, 130 for Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        _read_settings()
        code = options.run(options)
        sys.stdout.flush()
    except SluiceError as error:
        for line in str(error).splitlines():
            print(f"sluice: {line}", file=sys.stderr)
        code = 1
    except BrokenPipeError:
        # `sluice errors JOB | head`: the reader has gone. What is still buffered must not fail again at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        code = _INTERRUPTED
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
    to = top.add_subparsers(metavar="COMMAND", required=True)
    _add(to, "serve", commands.serve, "PostgreSQL, Redis, API and workers until Ctrl-C")
    _add(to, "api", commands.api, "one API process, for a PostgreSQL and a Redis that run already")
    _add(to, "worker", commands.worker, "one worker process, likewise")
    _add(to, "migrate", commands.migrate, "bring the database to the newest state")
    demo = _add(
        to, "demo", commands.demo, "a Sluice of its own takes in four files; shows what becomes of them"
    )
    demo.add_argument("--keep", action="store_true", help="leave its folder behind")
    _add_partner(to)
    _add_schema(to)
    _add_submit(to)
    _add_jobs(to)
    _add_job(to)
    _add_errors(to)
    _add_retry(to)
    _add_commit(to)
    _add_discard(to)
    _add_cancel(to)
    return top


def _add(to: Any, name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = to.add_parser(name, help=help, description=help)
    command.set_defaults(run=run)
    return command


def _add_partner(to: Any) -> None:
    partner = to.add_parser("partner", help="partners and their API keys")
    actions = partner.add_subparsers(metavar="ACTION", required=True)
    create = _add(actions, "create", commands.partner_create, "make a partner; prints the API key, once")
    create.add_argument("name", metavar="NAME")


def _add_schema(to: Any) -> None:
    schema = to.add_parser("schema", help="what partners' files look like")
    actions = schema.add_subparsers(metavar="ACTION", required=True)
    create = _add(actions, "create", commands.schema_create, "save a schema; prints its id")
    create.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="JSON, or YAML (.yaml, .yml), in the shape of CreateRecordSchemaInput",
    )
    _add_client(create)


def _add_submit(to: Any) -> None:
    submit = _add(to, "submit", commands.submit, "send a file; prints the job's id")
    submit.add_argument("file", metavar="FILE", type=Path)
    submit.add_argument("--schema", metavar="ID", required=True, help="id of the schema that describes it")
    submit.add_argument("--format", choices=_FORMATS, help="default: from the file name's extension")
    submit.add_argument(
        "--dry-run",
        action="store_true",
        help="decide every record, and load none: `sluice commit` does it later",
    )
    submit.add_argument(
        "--on-failure",
        choices=("keep", "discard"),
        help="what becomes of records that are loaded already when the job fails or is cancelled; default: keep",
    )
    submit.add_argument("--watch", action="store_true", help="show its progress and what became of it")
    _add_client(submit)


def _add_jobs(to: Any) -> None:
    jobs = _add(to, "jobs", commands.jobs, "your newest jobs")
    jobs.add_argument("--first", metavar="N", type=_count, default=20, help="how many; default: 20")
    jobs.add_argument("--status", type=str.upper, choices=_STATUSES, help="only jobs that stand there")
    _add_client(jobs)


def _add_job(to: Any) -> None:
    job = _add(to, "job", commands.job, "where a job stands, and what is wrong with its file")
    job.add_argument("job", metavar="JOB", help="the job's id")
    job.add_argument("--watch", action="store_true", help="show its progress until it is done")
    _add_client(job)


def _add_errors(to: Any) -> None:
    errors = _add(to, "errors", commands.errors, "all errors of a job, in the order of the file")
    errors.add_argument("job", metavar="JOB", help="the job's id")
    errors.add_argument("--field", metavar="NAME", help="only errors of this field")
    errors.add_argument("--code", type=str.upper, help="only errors with this code, such as INVALID_DATE")
    errors.add_argument(
        "--download", metavar="FOLDER", nargs="?", const=Path(), type=Path,
        help="save the rejected records and a report of the errors as files; default: in this folder",
    )  # fmt: skip
    _add_client(errors)


def _add_retry(to: Any) -> None:
    retry = _add(to, "retry", commands.retry, "try a job's rejected records again; prints the new job's id")
    retry.add_argument("job", metavar="JOB", help="the job's id")
    retry.add_argument(
        "file", metavar="FILE", type=Path, nargs="?",
        help="the records, corrected; left out: as they were sent, which makes sense with --schema",
    )  # fmt: skip
    retry.add_argument("--schema", metavar="ID", help="id of another version of the job's schema")
    retry.add_argument("--format", choices=_FORMATS, help="default: from the file name's extension")
    retry.add_argument(
        "--idempotency-key", metavar="K", help="of your choice: the same one again answers with the same job"
    )
    retry.add_argument("--watch", action="store_true", help="show its progress and what became of it")
    _add_client(retry)


def _add_commit(to: Any) -> None:
    commit = _add(to, "commit", commands.commit, "load the file of a dry run; prints the new job's id")
    commit.add_argument("job", metavar="JOB", help="the dry run's id")
    commit.add_argument("--watch", action="store_true", help="show its progress and what became of it")
    _add_client(commit)


def _add_discard(to: Any) -> None:
    discard = _add(to, "discard", commands.discard, "delete the records that a finished job has loaded")
    discard.add_argument("job", metavar="JOB", help="the job's id")
    discard.add_argument("--yes", action="store_true", help="do not ask")
    _add_client(discard)


def _add_cancel(to: Any) -> None:
    cancel = _add(to, "cancel", commands.cancel, "stop a job; what it has loaded stays")
    cancel.add_argument("job", metavar="JOB", help="the job's id")
    _add_client(cancel)


def _add_client(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="for scripts: JSON objects, one a line")
    command.add_argument("--key", default=os.environ.get("SLUICE_API_KEY"), help="default: $SLUICE_API_KEY")
    command.add_argument(
        "--url", help="address of the API; default: the one that SLUICE_HOST and SLUICE_PORT name"
    )


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return count
