"""The arrays of an index behind one number.

Handing five arrays to a kernel costs a microsecond, five times as long as finding one point. So a kernel for
one point is handed the address of a directory: the places and lengths of the arrays. Whoever holds the
address must hold the arrays too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray


def directory_of(arrays: tuple[NDArray[Any], ...]) -> NDArray[np.int64]:
    """Address and length of each array, in their order. Raises ValueError for one with gaps between."""
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("an index takes contiguous arrays only")
    return np.array([(array.ctypes.data, len(array)) for array in arrays], np.int64).ravel()


@intrinsic
def _pointer(_typing: Any, _address: Any) -> Any:
    """An integer as the pointer it is."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@njit
def arrays_at(address):
    """The plan, tiles, leaves, tape and vertices of the directory at an address."""
    directory = carray(_pointer(address), (10,), np.int64)  # type: ignore[call-arg]
    return (
        carray(_pointer(directory[0]), (directory[1],), np.float64),
        carray(_pointer(directory[2]), (directory[3],), np.int64),
        carray(_pointer(directory[4]), (directory[5],), np.int32),
        carray(_pointer(directory[6]), (directory[7],), np.int32),
        carray(_pointer(directory[8]), (directory[9], 2), np.float64),
    )
