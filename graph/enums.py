"""The enums of the API, most of which the pipeline and the models own; here each value gets its description."""

from enum import Enum, StrEnum
from typing import Any, cast

import strawberry

from models import DiscardStatus, JobStatus, OnFailure
from tasks.error_report import ErrorReportFormat
from tasks.pipeline.definition import UnknownFields
from tasks.pipeline.errors import FailureCode
from tasks.pipeline.record import FileFormat, RecordErrorCode


class FieldType(StrEnum):
    """What a field's text is converted to."""

    STRING = "STRING"
    INTEGER = "INTEGER"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    DATETIME = "DATETIME"
    EMAIL = "EMAIL"
    URL = "URL"


class UserErrorCode(StrEnum):
    """Why a mutation did not do what it was asked."""

    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    INVALID_STATE = "INVALID_STATE"


def _describe(enum: type[Enum], name: str, description: str, members: dict[str, str]) -> None:
    definition = cast(
        "Any", strawberry.enum(enum, name=name, description=description)
    ).__strawberry_definition__
    for value in definition.values:
        value.description = members[value.name]


_describe(
    FieldType,
    "FieldType",
    "What a field's text is converted to.",
    {
        "STRING": "Text.",
        "INTEGER": "A whole number of up to 64 bits: a sign and digits only.",
        "NUMBER": "A decimal number, loaded exactly: a sign, digits, one point, an exponent.",
        "BOOLEAN": "true, false, yes, no, y, n, t, f, on, off, 1 or 0, in any case.",
        "DATE": "A date in ISO 8601 (YYYY-MM-DD), or as `format` says; loaded as YYYY-MM-DD.",
        "DATETIME": "A moment in RFC 3339, or as `format` says; UTC where it names no zone; loaded as RFC 3339 in UTC.",
        "EMAIL": "An e-mail address.",
        "URL": "An http or https URL.",
    },
)
_describe(
    UnknownFields,
    "UnknownFields",
    "What becomes of a record that has keys or columns which the schema does not name.",
    {
        "IGNORE": "They are left out.",
        "REJECT": "The record is rejected with UNKNOWN_FIELD.",
    },
)
_describe(
    FileFormat,
    "FileFormat",
    "How the records lie in a file.",
    {
        "CSV": "Comma-separated values, RFC 4180 and its usual variants. File names: .csv",
        "TSV": "Tab-separated values. File names: .tsv, .tab",
        "JSON": "One JSON document with an array of objects. File names: .json",
        "NDJSON": "One JSON object a line. File names: .ndjson, .jsonl",
        "XML": "One XML document with an element for each record. File names: .xml",
    },
)
_describe(
    JobStatus,
    "JobStatus",
    "Where a job stands.",
    {
        "PENDING": "The file is stored and waits for a worker.",
        "PROCESSING": "A worker is reading it.",
        "COMPLETED": "Every record has been accepted or rejected. Final.",
        "FAILED": "The file could not be read to its end: see `failure`. What was loaded before stays, unless"
        " `onFailure` is DISCARD. Final.",
        "CANCELLED": "It was cancelled. What was loaded before stays, unless `onFailure` is DISCARD. Final.",
    },
)
_describe(
    OnFailure,
    "OnFailure",
    "What becomes of the records that a job has loaded when it ends as FAILED or CANCELLED.",
    {
        "KEEP": "They stay.",
        "DISCARD": "They are deleted, as by `discardRecords`: `Job.discard` tells how far.",
    },
)
_describe(
    DiscardStatus,
    "DiscardStatus",
    "Where the discard of a job's records stands.",
    {
        "PENDING": "It was asked for, and no worker has begun.",
        "PROCESSING": "A worker is deleting them, a chunk at a time.",
        "COMPLETED": "None is left. Final.",
    },
)
_describe(
    FailureCode,
    "JobFailureCode",
    "Why a job failed.",
    {
        "FILE_EMPTY": "The file has no content.",
        "FILE_MISSING": "The stored file is gone.",
        "FILE_CHANGED": "The stored file is not what was submitted.",
        "UNSUPPORTED_FORMAT": "Files of this format cannot be read.",
        "ENCODING": "Bytes of the file are not valid in its encoding.",
        "MALFORMED": "The file breaks the rules of its format.",
        "TRUNCATED": "The file ends in the middle.",
        "HEADER_MISSING": "The header lacks a column that the schema requires, or there is no header.",
        "DUPLICATE_HEADER": "Two columns have the same header.",
        "WRONG_STRUCTURE": "The records are not where the schema says.",
        "TOO_DEEP": "The file is nested too deeply.",
        "RECORD_TOO_LARGE": "One record is larger than Sluice takes.",
        "DTD_FORBIDDEN": "The XML has a DOCTYPE, which is refused for safety.",
        "RECORD_COUNT": "A retry's file has more or fewer records than were outstanding, and none says which it is.",
        "DUPLICATE_INDEX": "Two records of a retry's file name the same index in `sluice:index`.",
        "READER_CRASHED": "The reading process crashed repeatedly at the same place.",
        "WORKER_CRASHED": "The worker crashed repeatedly at the same place.",
        "INTERNAL": "A fault of Sluice.",
    },
)
_describe(
    RecordErrorCode,
    "RecordErrorCode",
    "What is wrong with a field, or with a record as a whole.",
    {
        "REQUIRED": "The value is missing.",
        "INVALID_INTEGER": "Not a whole number.",
        "INVALID_NUMBER": "Not a number.",
        "INVALID_BOOLEAN": "Neither true nor false.",
        "INVALID_DATE": "Not a date, or not in the expected format.",
        "INVALID_DATETIME": "Not a date with a time, or not in the expected format.",
        "INVALID_EMAIL": "Not an e-mail address.",
        "INVALID_URL": "Not an http or https URL.",
        "TOO_SMALL": "Below the minimum.",
        "TOO_LARGE": "Above the maximum.",
        "TOO_SHORT": "Fewer characters than allowed.",
        "TOO_LONG": "More characters than allowed.",
        "PATTERN_MISMATCH": "Does not match the pattern.",
        "NOT_IN_ENUM": "Not one of the allowed values.",
        "OUT_OF_RANGE": "A number too large to be stored.",
        "INVALID_CHARACTER": "Has a character that cannot be stored, or bytes that are not valid in the encoding.",
        "VALUE_TOO_LONG": "The value is longer than Sluice takes.",
        "NOT_A_SCALAR": "An object, an array or nested elements where one plain value is expected.",
        "COLUMN_COUNT": "The record has more or fewer columns than the header.",
        "MALFORMED_RECORD": "The record breaks the rules of its format.",
        "NOT_AN_OBJECT": "The record is not a JSON object.",
        "DUPLICATE_KEY": "A key occurs twice in the record.",
        "UNKNOWN_FIELD": "The record has a key or a column that the schema does not name.",
        "UNKNOWN_INDEX": "In a retry: `sluice:index` names no outstanding record, or is missing where others have it.",
        "ALREADY_ACCEPTED": "In a retry: another retry has loaded this record meanwhile.",
    },
)
_describe(
    ErrorReportFormat,
    "ErrorReportFormat",
    "How an error report is written.",
    {
        "CSV": "For people: RFC 4180 in UTF-8. A cell that a spreadsheet would take for a formula has a ' before it.",
        "NDJSON": "For programs: a JSON object on each line.",
    },
)
_describe(
    UserErrorCode,
    "UserErrorCode",
    "Why a mutation did not do what it was asked.",
    {
        "NOT_FOUND": "There is nothing of yours with this id.",
        "INVALID": "An input makes no sense.",
        "UNSUPPORTED_FORMAT": "The file's format cannot be told from its name: say it in `format`.",
        "IDEMPOTENCY_CONFLICT": "This idempotency key was used for another file or schema, or with other options.",
        "INVALID_STATE": "The job is in a state in which this is not possible.",
    },
)
