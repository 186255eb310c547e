"""One random schedule of all faults; `make soak` runs as many as there is time for."""

from pathlib import Path

import pytest

from sluice.endpoints import Services
from tests.faults import schedule


@pytest.mark.timeout(240)
async def test_a_random_schedule_of_faults_costs_no_record(
    services: Services, tmp_path: Path, seed: int
) -> None:
    """Whatever the seed chooses to kill, freeze, cut or empty while a job runs, the job is whole at its end."""
    assert await schedule.run(services, tmp_path, seed)
