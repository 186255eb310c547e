"""`make bench`: what Sluice costs, each figure beside its reference, measured in alternating rounds.

Writes benchmarks/results.json and benchmarks/chart.svg, which the README shows. Run it on a machine that does nothing else.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import data, growth, load, pages, profile, scale, small_jobs, subscribers, timed, upload
from benchmarks.chart import draw
from benchmarks.figures import Figures
from sluice import embedded
from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.stack import Stack, running

_HERE = Path(__file__).parent


@asynccontextmanager
async def _stack(
    services: Services, folder: Path, workers: int, program: str = "sluice"
) -> AsyncIterator[tuple[Stack, ApiClient]]:
    folder.mkdir()
    settings = {"lease_seconds": "30", "progress_interval_seconds": "2", "max_upload_bytes": "3000000000"}
    async with (
        running(services, folder, workers=workers, program=program, **settings) as stack,
        await stack.partner("Bench") as client,
    ):
        yield stack, client


async def _measure(services: Services, folder: Path, given: argparse.Namespace, figures: Figures) -> None:
    rounds = given.rounds
    async with _stack(services, folder / "load", 1) as (stack, client):
        for bad_share in (0.0, 0.02, 0.2):
            for format in data.FORMATS:
                await load.measure(stack, client, folder, format, 300_000, bad_share, rounds, figures)
        if not given.quick:
            for format in ("csv", "ndjson"):
                await load.measure(stack, client, folder, format, 3_000_000, 0.02, 3, figures)
            await growth.measure(stack, client, folder, figures)
        await scale.measure(stack, client, folder, rounds, figures)
    async with _stack(services, folder / "api", 0) as (stack, client):
        await upload.measure(stack, client, folder, 500_000_000, rounds, figures)
        await pages.measure(stack, client, folder, 300_000 if given.quick else 3_000_000, 21, figures)
    for part in (small_jobs, subscribers):
        own = folder / part.__name__
        own.mkdir()
        await part.report(services, own, figures)


async def _main(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        figures = Figures()
        async with embedded.services(folder) as services:
            os.environ |= services.environment
            if given.profile:
                async with _stack(services, folder / "profile", 1, timed.PROGRAM) as (stack, client):
                    await profile.show(stack, client, folder, given.rounds)
                return
            await _measure(services, folder, given, figures)
    if not given.quick:
        figures.write(_HERE / "results.json")
        draw(figures, _HERE / "chart.svg")


def main() -> None:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, and nothing is written")
    parser.add_argument(
        "--profile", action="store_true", help="only where the time of a record goes, by stage"
    )
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds of each row (5)")
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
