"""What the server writes of itself: one line an event to stderr, faults with their traceback, nobody's data.

A traceback names places in the code, never the values there. A database's words about a row (`DETAIL`,
`CONTEXT`) quote the row itself and are left out; SQLAlchemy hides the parameters (`gis.database`), and the
private cluster's own log is terse (`gis.cluster`).
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger

_QUOTES_A_ROW = re.compile(r"^(DETAIL|CONTEXT):.*(?:\n[ \t].*)*\n?", re.MULTILINE)
_QUOTES_A_VALUE = re.compile(r'(invalid input [^:"\n]*: )".*"')


def configure() -> None:
    """Once a process, before the first line is written."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_rows,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=_traceback, sort_keys=False
            ),
        ],
        logger_factory=_to_stderr,
    )
    logging.getLogger("uvicorn.error").addFilter(_not_told_twice)


def without_rows(text: str) -> str:
    """The text without what a database quoted of a row."""
    return _QUOTES_A_VALUE.sub(r'\1"..."', _QUOTES_A_ROW.sub("", text))


def _to_stderr(*_: Any) -> WrappedLogger:
    return structlog.PrintLogger(sys.stderr)  # asked for at each line: whoever redirects it gets the lines


def _without_rows(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: without_rows(value) if isinstance(value, str) else value for name, value in event.items()}


def _traceback(out: TextIO, error: ExcInfo) -> None:
    out.write("\n" + without_rows("".join(traceback.format_exception(*error))))


def _not_told_twice(record: logging.LogRecord) -> bool:
    """The server below us tells every fault again, in its own words; ours has the reference the user saw."""
    return not (record.exc_info and record.getMessage().startswith("Exception in ASGI application"))
