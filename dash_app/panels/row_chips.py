"""What a line of a list says of a case besides its title: reports it stands for, forces at work."""

from __future__ import annotations

from markupsafe import Markup

from dash_app.markup import icon, span
from dash_app.texts import Words
from incidents.queries import Row


def row_chips(words: Words, row: Row) -> list[Markup]:
    """×20 for twenty reports of one thing; a figure beside two people for other forces still at work."""
    chips = []
    if row.reports > 1:
        chips.append(span(f"×{row.reports}", cls="count-chip", title=words("alike.reports", n=row.reports)))
    if row.open_subtasks:
        title = words("forces.waits", n=row.open_subtasks)
        chips.append(span(icon("people", "xs"), row.open_subtasks, cls="count-chip", title=title))
    return chips
