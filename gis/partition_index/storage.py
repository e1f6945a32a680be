"""An index as one file that processes map and share: a line of JSON, then the arrays as in memory."""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.errors import Invalid

MAGIC = b"citygrid partition index 1\n"
_ALIGNED = 4096

Arrays = dict[str, NDArray[Any]]


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write named arrays to `path`, whole or not at all."""
    table: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        table[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += -(-array.nbytes // _ALIGNED) * _ALIGNED
    head = MAGIC + json.dumps(table).encode() + b"\n"
    start = -(-len(head) // _ALIGNED) * _ALIGNED
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(head)
            for name, array in arrays.items():
                file.seek(start + table[name]["offset"])
                file.write(np.ascontiguousarray(array).data)
            file.truncate(start + offset)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def map_arrays(path: Path) -> Arrays:
    """The arrays of a file straight from the page cache, which all processes share as long as none writes.

    Raises Invalid for a file of another kind.
    """
    with path.open("rb") as file:
        magic, line = file.readline(), file.readline()
        if magic != MAGIC:
            raise Invalid(
                en=f"{path.name} is not a partition index of this version.",
                zh=f"{path.name} 不是本版本的分区索引文件。",
                remedy_en="Build the index again and save it.",
                remedy_zh="请重新建立索引并保存。",
            )
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    start = -(-(len(magic) + len(line)) // _ALIGNED) * _ALIGNED
    arrays: Arrays = {}
    for name, entry in json.loads(line).items():
        count = int(np.prod(entry["shape"]))
        flat = np.frombuffer(memory, entry["dtype"], count, start + entry["offset"])
        arrays[name] = flat.reshape(entry["shape"])
    return arrays
