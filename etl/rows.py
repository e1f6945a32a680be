"""The shape rows have between a file and the cleaning: consecutive rows, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

BATCH_ROWS = 5_000
"""Rows held in memory at a time: some 10 MB of ordinary polygons."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows `first` .. `first + size - 1` of a file; row 1 is the first after a header.

    `columns` maps a header to its values: text, numbers, moments, True or False, None where there is nothing.
    `geometry` holds shapely geometries in the file's own coordinates, None where a row has none; it is None
    itself for a file without geometries. `shifted` are the numbers of rows with more values than headers.
    """

    first: int
    size: int
    columns: dict[str, list[Any]]
    geometry: NDArray[Any] | None = None
    shifted: frozenset[int] = frozenset()

    @property
    def numbers(self) -> range:
        """The rows' numbers in the file."""
        return range(self.first, self.first + self.size)
