"""Makes a file of a job's rejected records, in the format of the file that they come from.

    cutter = cutter_of(file, FileFormat.CSV, definition, with_index=False)
    head, rows, tail = cutter.head(), cutter.records([Cut(index, offset, length), ...]), cutter.tail()

Read with the same schema, it gives exactly these records, with the same errors, in the same order.
"""

from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.record import FileFormat
from tasks.pipeline.rejected.csv import CsvCutter
from tasks.pipeline.rejected.cut import CannotIndex, Cut, Cutter
from tasks.pipeline.rejected.json_array import JsonCutter
from tasks.pipeline.rejected.ndjson import NdjsonCutter
from tasks.pipeline.rejected.xml import XmlCutter

__all__ = ["CannotIndex", "Cut", "Cutter", "cutter_of"]


def cutter_of(
    file: BinaryIO, format: FileFormat, definition: Definition, *, with_index: bool, is_retry: bool
) -> Cutter:
    """What cuts records out of this file. Raises FileError where the file is not what was read, and CannotIndex.

    `is_retry`: what the file says as `sluice:index` is true and stays; in any other it says nothing about this job.
    """
    match format:
        case FileFormat.CSV:
            return CsvCutter(file, definition, None, with_index=with_index, is_retry=is_retry)
        case FileFormat.TSV:
            return CsvCutter(file, definition, "\t", with_index=with_index, is_retry=is_retry)
        case FileFormat.JSON:
            return JsonCutter(file, definition, with_index=with_index, is_retry=is_retry)
        case FileFormat.NDJSON:
            return NdjsonCutter(file, definition, with_index=with_index, is_retry=is_retry)
        case FileFormat.XML:
            return XmlCutter(file, definition, with_index=with_index, is_retry=is_retry)
