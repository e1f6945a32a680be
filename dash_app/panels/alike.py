"""Reports of one thing: what is probably the same and why, what has joined, and the way apart again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import moment_words, span_words
from dash_app.markup import div, heading, section, span, tag
from dash_app.panels.moves import move_words, note_field
from dash_app.texts import Words
from dash_app.view_state import ViewState
from incidents.duplicates import Alike, JoinedReport
from incidents.queries import IncidentDetail


def alike_section(
    words: Words, case: IncidentDetail, state: ViewState, now: datetime, zone: ZoneInfo
) -> Markup | None:
    """The case it has joined, else those it may be the same as, and the reports that joined it."""
    if case.joined_to is not None:
        link = tag("a", case.joined_to_number, cls="link", href=state.href(incident=case.joined_to))
        return section(div(words("alike.joined_to"), " ", link, cls="s13"))
    if not case.alike and not case.joined:
        return None
    candidates = [_candidate(words, case, one, state) for one in case.alike]
    joined = [_report(words, case, one, state, now, zone) for one in case.joined]
    return section(
        div(
            [heading(words("alike.title")), candidates] if candidates else None,
            [heading(words("alike.reports", n=case.row.reports)), joined, _split_form(words)]
            if joined
            else None,
            data_incident_id=case.row.id,
            data_version=case.row.version,
            data_key=f"alike{case.row.id}-{case.row.version}",
        )
    )


def _candidate(words: Words, case: IncidentDetail, one: Alike, state: ViewState) -> Markup:
    """Another case with its distance and its time from this one, and the button that makes them one.

    The later report joins the earlier, whichever of the two the panel shows; one that stands for more already
    takes in and does not join.
    """
    earlier = (one.reported_at, one.id) < (case.row.reported_at, case.row.id)
    apart = span_words(abs(one.reported_at - case.row.reported_at), words.language)
    when = words("alike.earlier" if earlier else "alike.later", span=apart)
    reports = words("alike.reports_short", n=one.reports) if one.reports > 1 else ""
    joining = {"data_case_id": one.id} if earlier else {"data_on": one.id, "data_on_version": one.version}
    free = (case.row if earlier else one).reports == 1 and not (earlier and case.row.open_subtasks)
    if not earlier:
        joining["data_case_id"] = case.row.id
    facts = (words("map.metres", n=round(one.metres)), when, words(f"stage.{one.stage}"), reports)
    return div(
        div(
            tag("a", one.number, cls="link", href=state.href(incident=one.id)),
            div(" · ".join(fact for fact in facts if fact), cls="s12 mid cut"),
            cls="grow",
        ),
        tag(
            "button",
            words("alike.join_that" if earlier else "alike.join_here"),
            type="button",
            cls="btn small",
            data_move="join",
            **joining,
        )
        if free
        else None,
        cls="row work",
        data_key=f"alike{one.id}",
    )


def _report(
    words: Words, case: IncidentDetail, one: JoinedReport, state: ViewState, now: datetime, zone: ZoneInfo
) -> Markup:
    facts = (
        moment_words(one.reported_at, now, zone, words.language),
        words.get(f"channel.{one.channel}", one.channel),
        words("map.metres", n=round(one.metres)),
    )
    return div(
        tag("a", one.number, cls="link", href=state.href(incident=one.id)),
        span(" · ".join(facts), cls="s12 mid cut grow"),
        tag(
            "button",
            words("alike.split"),
            type="button",
            cls="btn small",
            data_move="split",
            data_on=one.id,
            data_on_version=one.version,
        )
        if one.stage == "joined"
        else None,
        cls="row work",
        data_key=f"joined{one.id}",
    )


def _split_form(words: Words) -> Markup:
    title = move_words(words, "split")
    return tag(
        "template",
        tag(
            "form",
            tag("h2", title, id="dialog-title"),
            div(words("alike.split_note"), cls="sub"),
            div(cls="problem", role="alert", hidden=True, data_problem=True),
            note_field(words, needed=True),
            div(
                tag("button", words("cancel"), type="button", cls="btn", data_close_dialog=True),
                tag("button", title, type="submit", cls="btn primary"),
                cls="actions",
            ),
        ),
        data_form="split",
    )
