"""What is true: the tables, and every change of a job's state."""

from models.discard import Discard, DiscardStatus
from models.job import Job, JobStatus, OnFailure
from models.partner import Partner
from models.record import Record
from models.record_error import RecordError
from models.record_schema import RecordSchema
from models.retried_record import RetriedRecord

__all__ = [
    "Discard", "DiscardStatus", "Job", "JobStatus", "OnFailure", "Partner", "Record", "RecordError", "RecordSchema", "RetriedRecord",
]  # fmt: skip
