"""What a job belongs to, and what to type next, under its summary."""

from typing import Any

from rich.console import Console

from sluice.operations import FINAL
from sluice.report import plain


def show(console: Console, job: dict[str, Any]) -> None:
    """A line for each thing that is so; how to go on once the job is finished."""
    for line in _facts(job):
        plain(console, f"  {line}")
    if job["status"] in FINAL:
        for line in _steps(job):
            plain(console, line)


def _facts(job: dict[str, Any]) -> list[str]:
    said = []
    if job["parent"]:
        said.append(f"a retry of {job['parent']['id']}")
    if job["dryRunJob"]:
        said.append(f"a commit of the dry run {job['dryRunJob']['id']}")
    if job["dryRun"]:
        commit = job["commit"]
        said.append(
            f"a dry run, committed by {commit['id']}" if commit else "a dry run: nothing of it is loaded"
        )
    elif outstanding := int(job["outstanding"]):
        said.append(f"outstanding: {outstanding:,} of the rejected records are not loaded by now")
    if discard := job["discard"]:
        done, total = int(discard["recordsDiscarded"]), int(discard["recordsTotal"])
        said.append(f"discard: {discard['status'].lower()}, {done:,} of {total:,} records deleted")
    return said


def _steps(job: dict[str, Any]) -> list[str]:
    id = job["id"]
    if not job["dryRun"]:
        return _fix(id) if int(job["outstanding"]) else []
    if job["commit"]:
        return []
    steps = [f"To save what is wrong: sluice errors {id} --download"] if job["errorSummary"] else []
    if job["status"] != "CANCELLED":
        steps.append(f"To load what is good: sluice commit {id} --watch")
    return steps


def _fix(id: str) -> list[str]:
    return [
        f"To fix them: sluice errors {id} --download",
        f"then, with the corrected file: sluice retry {id} FILE --watch",
    ]
