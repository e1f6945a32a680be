"""The page of who looked: what stands out, each look at people on one's ground, the trail, newest exports.

A plain page, drawn on the server, for supervisors. It names who looked and at which door, never a resident.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs

from markupsafe import Markup

from api.audit_check import CHECKERS, TrailState, trail_state
from api.audit_words import fault_words
from dash_app.desk import Desk
from dash_app.markup import div, section, span, tag, thousands
from dash_app.panels.look_list import PATH, Look, look_list
from dash_app.plain_frame import plain_page
from dash_app.texts import Words
from etl.export_marks import Traced, newest_files
from incidents import queries
from incidents.queries import Filter
from layers.looks import ACTIONS, MOST, GroundLook, looks_on_ground
from layers.unusual_looks import Unusual, unusual_looks

CHECK = "/api/v1/audit/trail/check"
DAYS = (1, 7, 30, 90)
FILES = 8
_ALARMING = ("bulk", "outside")


def audit_page(desk: Desk, query: str) -> str:
    """The page for an address: `?days=7&who=NAME&place=PART&action=A`. Raises Denied for who supervises
    nobody."""
    asked = {name: values[-1].strip()[:80] for name, values in parse_qs(query).items()}
    days = next((n for n in DAYS if str(n) == asked.get("days")), 7)
    action = asked.get("action", "")
    with desk.reading() as (session, visit, now):
        look = Look(
            visit, now, desk.zone, days, asked.get("who", ""), asked.get("place", ""),
            action if action in ACTIONS else "",
        )  # fmt: skip
        since = now - timedelta(days=days)
        looks = looks_on_ground(
            session, since, now, by=visit.principal, who=look.who, place=look.place, action=look.action,
            most=MOST,
        )  # fmt: skip
        alerts = unusual_looks(session, since, now, zone=desk.zone)
        files = newest_files(session, limit=FILES)
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    trail = trail_state(desk.database, visit.principal)
    words = look.words
    body = tag(
        "main",
        tag("header", tag("h1", words("audit.title")), _periods(look), cls="row wrap"),
        tag("p", words("audit.lead"), cls="s12 mute"),
        div(_alerts(look, alerts, looks), _trail(look, trail), cls="audit-top"),
        look_list(look, looks),
        _files(look, files),
        cls="own wide",
    )
    data = {
        "language": words.language,
        "here": PATH,
        "page": "audit",
        "failed": words("dialog.failed"),
        "offline": words("dialog.offline"),
        "texts": {"users.saved": words("audit.checked")},
    }
    return plain_page(visit, words("audit.title"), body, name="accounts", overdue=overdue, data=data)


def _periods(look: Look) -> Markup:
    links = [
        tag(
            "a",
            look.words("audit.day") if n == 1 else look.words("audit.days", n=n),
            href=look.address(days=n),
            aria_current="true" if n == look.days else None,
        )
        for n in DAYS
    ]
    return tag("nav", links, cls="segments", aria_label=look.words("audit.period"))


def _alerts(look: Look, alerts: list[Unusual], looks: list[GroundLook]) -> Markup:
    words = look.words
    names = {one.username: one.display_name for one in looks}
    lines = [
        tag(
            "li",
            div(
                div(
                    tag("b", names.get(one.username) or one.username),
                    span(
                        words(f"audit.kind.{one.kind}"),
                        cls="tag alarm" if one.kind in _ALARMING else "tag",
                    ),
                    cls="row",
                ),
                div(
                    f"{words(f'audit.note.{one.kind}', n=one.looks)} · {look.span(one.since, one.until)}",
                    cls="s12 mute",
                ),
                cls="grow",
            ),
            tag("a", words("audit.see"), cls="btn", href=look.address(who=one.username, place="", action="")),
            cls="own-row",
        )
        for one in alerts
    ]
    body = tag("ul", lines, cls="rows") if lines else tag("p", words("audit.no_alerts"), cls="mute")
    return section(tag("h2", words("audit.alerts")), body, cls="card")


def _trail(look: Look, trail: TrailState) -> Markup:
    words, last = look.words, trail.last_check
    sealed = (
        words("audit.seals", n=thousands(trail.seals), at=look.moment(trail.sealed_at))
        if trail.sealed_at
        else words("audit.never_sealed")
    )
    checked = words("audit.no_check")
    if last is not None:
        checked = f"{look.moment(last.at)} · {last.username}"
        if last.verdict.fault is None:
            checked += " · " + words("audit.intact", n=thousands(last.verdict.entries))
    facts = [
        ("audit.sealed", sealed),
        ("audit.waiting", words("audit.entries", n=thousands(trail.waiting))),
        ("audit.last_check", checked),
    ]
    button = (
        tag("button", words("audit.check"), type="button", cls="btn", data_act="POST", data_url=CHECK)
        if look.visit.principal.role in CHECKERS
        else None
    )
    return section(
        div(tag("h2", words("audit.trail")), span(cls="grow"), button, cls="row"),
        _broken(words, trail),
        div(
            [div(span(words(name), cls="mute"), span(said), cls="fact") for name, said in facts],
            cls="facts",
        ),
        _hash(words, trail.hash) if trail.hash else None,
        cls="card",
    )


def _broken(words: Words, trail: TrailState) -> Markup | None:
    """The first fault of the last check, if it found one."""
    if trail.last_check is None or trail.last_check.verdict.fault is None:
        return None
    fault = words.either(*fault_words(trail.last_check.verdict))
    return div(
        tag("b", words("audit.broken", fault=fault)), words("audit.broken_note"), cls="problem", role="alert"
    )


def _hash(words: Words, value: str) -> Markup:
    return div(
        span(words("audit.hash"), cls="mute s12"),
        tag("code", value, cls="hash"),
        tag("p", words("audit.hash_note"), cls="s12 mute"),
        cls="audit-hash",
    )


def _files(look: Look, files: list[Traced]) -> Markup:
    words = look.words
    lines = [
        tag(
            "li",
            div(
                div(
                    tag("b", one.display_name),
                    span(one.subject, cls="mid"),
                    span(words("exports.rows", n=thousands(one.rows)), cls="mid"),
                    cls="row",
                ),
                div(f"{look.moment(one.made_at)} · {one.reason} · {one.number}", cls="s12 mute"),
                cls="grow",
            ),
            cls="own-row",
        )
        for one in files
    ]
    body = tag("ul", lines, cls="rows") if lines else tag("p", words("audit.no_exports"), cls="mute")
    return section(
        div(
            tag("h2", words("audit.exports")),
            span(cls="grow"),
            tag("a", words("audit.all_exports"), cls="btn", href="/exports"),
            cls="row",
        ),
        body,
        cls="card",
    )
