"""Named points in the code at which a test can make this process die or freeze; otherwise they do nothing.

SLUICE_FAULTS="after_copy=kill9@3;after_fence=pause:5" kills the process the third time that it comes to `after_copy`,
and blocks it for five seconds the first time that it comes to `after_fence`. Each process counts for itself.
"""

import logging
import os
import re
import select
import signal
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from settings import settings

logger = logging.getLogger(__name__)


class Point(StrEnum):
    """Where a fault can strike."""

    AFTER_CLAIM = "after_claim"
    BEFORE_COPY = "before_copy"
    AFTER_COPY = "after_copy"
    """Both COPYs are done, the checkpoint has not moved."""
    AFTER_FENCE = "after_fence"
    """The checkpoint has moved inside the transaction; the job's row is locked."""
    AFTER_COMMIT = "after_commit"
    BEFORE_FINISH = "before_finish"
    AFTER_FINISH = "after_finish"
    READER_BATCH = "reader_batch"
    """In the reader child, before it hands over a batch."""
    DISCARD_CLAIMED = "discard_claimed"
    DISCARD_DELETED = "discard_deleted"
    """A chunk's rows are deleted inside the transaction, nothing is counted."""
    DISCARD_COUNTED = "discard_counted"
    """All is counted inside the transaction; the job's row is locked, a retry's root's, too."""
    DISCARD_COMMITTED = "discard_committed"
    BEFORE_DISCARD_FINISH = "before_discard_finish"
    UPLOAD_BLOCK = "upload_block"
    """In the API, after a block of a file was written."""
    AFTER_RENAME = "after_rename"
    """The file is durable and has no job yet."""
    AFTER_INSERT = "after_insert"
    """The job is durable and nobody knows it yet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens the `visit`-th time that a process comes to a point."""

    action: str
    seconds: float
    visit: int

    def strike(self) -> None:
        """Kills or freezes this process."""
        match self.action:
            case "kill9":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case _:
                select.select([], [], [], self.seconds)  # time.sleep fails under libfaketime


_FAULT = re.compile(
    r"(?P<point>\w+)=(?P<action>kill9|stop|pause)(?::(?P<seconds>[\d.]+))?(?:@(?P<visit>\d+))?"
)


def parse(plan: str) -> dict[Point, Fault]:
    """The faults of a plan, by point. Raises ValueError for one that makes no sense."""
    faults = {}
    for item in filter(None, plan.split(";")):
        found = _FAULT.fullmatch(item.strip())
        if found is None:
            raise ValueError(
                f"SLUICE_FAULTS: {item!r} is not point=kill9|stop|pause:SECONDS, with @VISIT or without"
            )
        seconds, visit = float(found["seconds"] or 0), int(found["visit"] or 1)
        faults[Point(found["point"])] = Fault(found["action"], seconds, visit)
    return faults


_faults = parse(settings.faults)
_visits: Counter[Point] = Counter()


def reached(point: Point) -> None:
    """Does nothing, unless a fault is planned here for this visit."""
    fault = _faults.get(point)
    if fault is None:
        return
    _visits[point] += 1
    if _visits[point] == fault.visit:
        logger.warning("fault strikes", extra={"point": point, "action": fault.action})
        fault.strike()
