"""What is true: the tables, and every change of a job's state."""

from models.job import Job, JobStatus
from models.partner import Partner
from models.record import Record
from models.record_error import RecordError
from models.record_schema import RecordSchema

__all__ = ["Job", "JobStatus", "Partner", "Record", "RecordError", "RecordSchema"]
