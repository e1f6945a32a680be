"""What the server writes of itself holds places in the code and never anybody's data."""

import logging

import pytest
import sqlalchemy as sa
import structlog

from api import logs
from gis.database import Statement

SECRET = "赵某某 13800001234"


@pytest.fixture
def log(capsys):
    before = structlog.get_config()
    filters = list(logging.getLogger("uvicorn.error").filters)
    logs.configure()
    yield lambda: capsys.readouterr().err
    structlog.configure(**before)
    logging.getLogger("uvicorn.error").filters[:] = filters


def told(log, act) -> str:
    """The lines that a fault of `act` leaves."""
    with pytest.raises(Exception) as failed:
        act()
    structlog.get_logger("citygrid.http").error("fault", reference="ab12", exc_info=failed.value)
    text = log()
    assert "fault" in text and "reference=ab12" in text and "Traceback" in text and "test_logs.py" in text
    return text


def test_values_in_the_code_are_not_told(log):
    def act():
        name = SECRET
        return 1 / (len(name) - len(SECRET))

    text = told(log, act)
    assert "ZeroDivisionError" in text and SECRET not in text and "13800001234" not in text


def value(session):
    session.execute(sa.text("SELECT CAST(:name AS integer)"), {"name": SECRET})


def row(session):
    session.execute(sa.text("INSERT INTO category (code, name_zh) VALUES ('zz', :name)"), {"name": SECRET})


def hot_path(session):
    Statement("INSERT INTO category (code, name_zh) VALUES ('zz', :name)").first(session, {"name": SECRET})


@pytest.mark.parametrize(
    ("act", "kind"),
    [(row, "NotNullViolation"), (hot_path, "NotNullViolation"), (value, "InvalidTextRepresentation")],
)
def test_what_the_database_refuses_is_not_told(session, log, act, kind):
    """PostgreSQL's DETAIL quotes a row that lacks something, its message a value that is no number."""
    text = told(log, lambda: act(session))
    assert kind in text and SECRET not in text and "赵某某" not in text


def test_what_a_message_quotes_is_left_out_of_ordinary_lines_too(log):
    structlog.get_logger("x").warning(
        "refused", why=f"no\nDETAIL:  Failing row contains ({SECRET}).\nCONTEXT:  a\n  b\nend"
    )
    text = log()
    assert "refused" in text and "end" in text and "赵某某" not in text and "DETAIL" not in text


def test_the_web_server_does_not_tell_a_fault_again(log):
    def record(message, error):
        info = (type(error), error, None) if error else None
        return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, message, None, info)

    quiet = logging.getLogger("uvicorn.error").filter
    assert not quiet(record("Exception in ASGI application\n", ValueError(SECRET)))
    assert quiet(record("Invalid HTTP request received.", None))
