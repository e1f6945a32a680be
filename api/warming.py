"""Before the first question: the picture of the ground is made while the server already answers."""

from __future__ import annotations

import threading

import shapely
import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.gate import Means
from gis.errors import CityGridError
from gis.geometry import Fix
from grids import owner_map
from grids.ground_rules import Question, decide
from grids.reasons import Trace

_log = structlog.get_logger("citygrid.warming")


def warm_in_background(means: Means) -> threading.Thread:
    """Begin to make ready what deciding whose ground a place is needs. A stop of the server does not wait."""
    thread = threading.Thread(target=_warm, args=(means,), name="warming", daemon=True)
    thread.start()
    return thread


def _warm(means: Means) -> None:
    """Load the owner map of the active generation and ask it once. Where that fails the first question pays,
    and tells why."""
    try:
        with means.database.system_work() as session:
            city = owner_map.current(session)
        inside = shapely.point_on_surface(city.geoms[0])
        decide(Question.of(city, Fix(inside.x, inside.y), means.clock()), Trace())
    except (CityGridError, SQLAlchemyError) as error:
        _log.info("not warmed", why=str(error))
