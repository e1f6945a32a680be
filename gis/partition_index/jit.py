"""How the kernels of this package are compiled, and where the machine code is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_PACKAGE = Path(__file__).parent
_SOURCES = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_PACKAGE.glob("*.py")))).hexdigest()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use, to run without the GIL, and keep the machine code for the next process."""
    return _compiled(function, nogil=True)


def quick_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that is done before letting go of the GIL would pay."""
    return _compiled(function, nogil=False)


def _compiled(function: Callable[..., Any], *, nogil: bool) -> Callable[..., Any]:
    """Compile on first use and keep the machine code, if there is a place for it.

    Numba's own cache looks at the file a kernel stands in, not at the files of the functions it calls; a
    changed predicate would live on in old kernels. So the cache folder is named by all of the package.
    Where no folder may be written at all, every process compiles for itself.
    """
    settings: Any = numba.config
    asked = settings.CACHE_DIR
    base = Path(asked) if asked else _PACKAGE / "__pycache__"
    settings.CACHE_DIR = str(base / f"kernels-{_SOURCES[:12]}")
    try:
        return numba.njit(nogil=nogil, cache=True)(function)
    except RuntimeError:
        return numba.njit(nogil=nogil)(function)
    finally:
        settings.CACHE_DIR = asked
