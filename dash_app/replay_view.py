"""A past minute for the map: the cases open then as markers, their counts, and the minute in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from dash_app.clock_words import day_words
from dash_app.desk import Desk
from dash_app.drawing import open_cases
from dash_app.view_state import ViewState
from gis.errors import Invalid
from incidents import categories
from incidents.replay import past_moment, replay

PATH = "/replay.json"


def replayed(desk: Desk, query: str) -> dict[str, Any]:
    """The answer to `?at=MOMENT` beside the desk's filter. Raises Invalid for what is no past moment."""
    state, asked = ViewState.parse(query), _moment(parse_qs(query).get("at", [""])[-1])
    with desk.reading() as (session, visit, now):
        at = past_moment(asked, now)
        groups = {one.code: [kind.code for kind in one.categories] for one in categories.groups(session)}
        wanted = state.filter(at, desk.zone, groups)
        rows = replay(
            session,
            at,
            by=visit.principal,
            territory=wanted.territory,
            categories=wanted.categories,
            stages=wanted.stages,
            clocks=wanted.clocks,
            zone=desk.zone,
        )
        words = visit.words
    local = at.astimezone(desk.zone)
    return {
        "at": at.isoformat(),
        "words": f"{day_words(local.date(), words.language, weekday=True)} {local:%H:%M}",
        "counts": {
            "open": len(rows),
            "overdue": sum(row.clock == "overdue" for row in rows),
            "hollow": sum(row.hollow for row in rows),
        },
        "cases": open_cases(words, rows, at),
    }


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Invalid(
            en="A replay needs a moment with its offset.",
            zh="回放须给出带时区的时刻。",
            remedy_en="For example at=2026-11-23T09:30:00+08:00",
            remedy_zh="例如 at=2026-11-23T09:30:00+08:00",
        )
    return at
