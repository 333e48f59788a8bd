"""Reading a small parquet file whole, whatever may have happened to it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ctexp.core.errors import DataError
from ctexp.core.files import read_regular, sha256_bytes


def read(file: Path, hint: str) -> tuple[pa.Table, str]:
    """A file's table, every text of it sound, and the SHA-256 of the very bytes that were read.

    Raises:
        DataError: the file cannot be read or is damaged; `hint` is what to do.
    """
    try:
        content = read_regular(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})", hint) from error
    try:
        # In this thread alone: one of pyarrow's that still holds the bytes at our exit aborts the process.
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file}: not a parquet file ({' '.join(str(error).split())})", hint) from error
    return table, sha256_bytes(content)
