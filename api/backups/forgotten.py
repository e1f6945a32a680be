"""Who was made nameless in the city that is replaced stays nameless in the one that is restored.

A backup is older than the city it replaces: it still holds the names of people who were forgotten since.
Their numbers are read from the running city and they are made nameless once more, before anybody sees the
restored one. What retention removed for its age it removes again at its next run; this is what no rule would
repeat. Only the city the backup was made of counts, known by the seal of its trail: in another one the same
number is somebody else's.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import audit
from gis.access import Principal
from gis.forgetting import MARK
from layers.subject_rights import ERASE

_KNOWS = "SELECT FROM information_schema.columns WHERE table_name = 'resident' AND column_name = 'erased_at'"
_ERASED = sa.text(
    "SELECT id, erased_at FROM resident WHERE erased_at IS NOT NULL"
    " AND EXISTS (SELECT FROM audit_seal WHERE encode(hash, 'hex') = :seal)"
)

_STILL_NAMED = sa.text(
    "SELECT id, territory FROM resident WHERE id = ANY(:ids) AND erased_at IS NULL ORDER BY id FOR UPDATE"
)
_FORGET = (
    sa.text("DELETE FROM resident_correction WHERE resident_id = :id"),
    sa.text(
        "DELETE FROM contact AS c USING resident AS r"
        " WHERE r.id = :id AND c.address = r.phone AND starts_with(r.territory, c.territory)"
    ),
    sa.text(
        "UPDATE resident SET name = :mark, gender = NULL, birth_year = NULL, phone = NULL, tags = '{}',"
        " erased_at = :at WHERE id = :id"
    ),
)


def forgotten_in(url: str, seal: str) -> dict[int, datetime]:
    """Number of a resident -> when they were made nameless, in the city at `url`.

    `seal` is the last of the backup's trail. Nobody is told of a city that has no such seal, or whose schema
    is older than forgetting.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            if connection.exec_driver_sql(_KNOWS).first() is None:
                return {}
            return {id_: at for id_, at in connection.execute(_ERASED, {"seal": seal})}
    finally:
        engine.dispose()


def forget_again(session: Session, forgotten: dict[int, datetime], *, by: Principal, now: datetime) -> int:
    """Make those of them nameless who have a name here; each is an entry of the trail. Returns how many."""
    named = session.execute(_STILL_NAMED, {"ids": list(forgotten)}).all()
    for id_, territory in named:
        for statement in _FORGET:
            session.execute(statement, {"id": id_, "at": forgotten[id_], "mark": MARK})
        audit.record(
            session, ERASE, "resident", id_, by=by, now=now, face="cli", territory=territory, again=True
        )
    return len(named)
