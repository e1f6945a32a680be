"""The roster of a subdistrict as a calendar: a line a post, a bar where somebody is there, else hatching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dash_app.clock_words import clock_time, day_words
from dash_app.markup import div, heading, icon, section, span, tag
from dash_app.texts import Words
from grids.duty_check import REQUIRED_POSTS, Hole
from grids.leaves import LeaveRow
from grids.roster_calendar import GroundLines, PostLine, RosterCalendar, Stretch


class Week:
    """The days shown, and where a moment lies among them, in per cent of their length."""

    def __init__(self, start: datetime, days: int, zone: ZoneInfo) -> None:
        self.start, self.end, self.zone = start, start + timedelta(days=days), zone
        self.dates: list[date] = [(start + timedelta(days=n)).date() for n in range(days)]

    def percent(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def place(self, start: datetime, end: datetime) -> str:
        """The style that puts a bar at its hours."""
        left = self.percent(start)
        return f"left:{left}%;width:{round(self.percent(end) - left, 3)}%"


def calendar_table(
    words: Words, calendar: RosterCalendar, week: Week, *, now: datetime, keeps: bool
) -> Markup:
    """The calendar itself. `keeps` is whether the person may change it."""
    head = [tag("div", day_words(day, words.language, weekday=True), cls="day") for day in week.dates]
    return div(
        div(div(cls="who"), div(head, cls="days"), cls="roster-head"),
        [_ground(words, ground, week, calendar.holes, now, keeps) for ground in calendar.grounds],
        cls="roster",
        role="table",
        aria_label=words("people.calendar", name=calendar.name),
    )


def _ground(
    words: Words,
    ground: GroundLines,
    week: Week,
    holes: Sequence[Hole],
    now: datetime,
    keeps: bool,
) -> Markup:
    """One cell, or the subdistrict itself: its posts in the order of rank, the vacant ones too."""
    now_line = (
        div(cls="now-line", style=f"left:{week.percent(now)}%") if week.start <= now < week.end else None
    )
    level = "cell" if len(ground.code) == 15 else "subdistrict"
    nobody = [h for h in holes if h.ground == ground.code and h.kind == "nobody"]
    rows = []
    for post in REQUIRED_POSTS[level]:
        lines = [line for line in ground.lines if line.post == post]
        rows += [_line(words, line, ground, week, now_line, keeps) for line in lines]
        vacant = [h for h in holes if (h.ground, h.post, h.kind) == (ground.code, post, "vacant")]
        if vacant:
            may_give = keeps and vacant[-1].ends_at > now
            rows.append(_vacant(words, ground, post, vacant, week, now_line, may_give))
    title = tag("a", ground.name, href=f"/?cell={ground.code}") if level == "cell" else ground.name
    note = span(words("people.nobody_count", n=len(nobody)), cls="hole-note") if nobody else None
    return div(
        div(tag("b", title), span(ground.code, cls="s11 mute"), note, cls="roster-ground"),
        rows,
        role="rowgroup",
        id=f"g-{ground.code}",
    )


def _line(
    words: Words, line: PostLine, ground: GroundLines, week: Week, now_line: Markup | None, keeps: bool
) -> Markup:
    who = div(
        span(line.name, cls="bold"),
        span(words(f"role.{line.post}"), cls="s12 mute cut"),
        span(cls="grow"),
        _hours_button(words, line, ground) if keeps else None,
        cls="who",
        role="rowheader",
    )
    bars = [_bar(words, stretch, week) for stretch in line.stretches]
    return div(
        who, div(bars, now_line, cls="days", role="cell"), cls="roster-line", role="row", data_post=line.post
    )


def _hours_button(words: Words, line: PostLine, ground: GroundLines) -> Markup:
    """Opens the dialog of a post's hours; knows already what ending the post would mean."""
    label = words("people.hours_of", name=line.name)
    role = words(f"role.{line.post}")
    return tag(
        "button",
        icon("clock", "s"),
        type="button",
        cls="icon-btn",
        title=label,
        aria_label=label,
        data_hours=line.duty_id,
        data_ends=words("people.end_what", name=line.name, ground=ground.name, role=role),
    )


def _bar(words: Words, stretch: Stretch, week: Week) -> Markup:
    """A filled bar where the holder is there, an outlined one for a stand-in, hatching for nobody."""
    if stretch.name is None:
        kind, text = "hole", words("people.hole")
    elif stretch.stands_in_for:
        kind, text = "stand-in", words("people.stands_in", name=stretch.name)
    else:
        kind, text = "there", ""
    times = _span(words, stretch.starts_at, stretch.ends_at, week)
    return span(
        text,
        cls=f"bar {kind}",
        style=week.place(stretch.starts_at, stretch.ends_at),
        title=f"{text or stretch.name} · {times}",
        role="img",
        aria_label=f"{text or stretch.name} · {times}",
    )


def _vacant(
    words: Words,
    ground: GroundLines,
    post: str,
    holes: Sequence[Hole],
    week: Week,
    now_line: Markup | None,
    may_give: bool,
) -> Markup:
    who = div(
        span(words(f"role.{post}"), cls="mute"),
        span(cls="grow"),
        _give_button(words, ground, post) if may_give else None,
        cls="who",
        role="rowheader",
    )
    bars = [
        span(words("cell.vacant"), cls="bar hole", style=week.place(hole.starts_at, hole.ends_at))
        for hole in holes
    ]
    return div(
        who, div(bars, now_line, cls="days", role="cell"), cls="roster-line", role="row", data_post=post
    )


def _give_button(words: Words, ground: GroundLines, post: str) -> Markup:
    return tag(
        "button",
        words("people.give"),
        type="button",
        cls="btn quiet s12",
        aria_label=words("people.give_post", role=words(f"role.{post}"), ground=ground.name),
        data_give=post,
        data_ground=ground.code,
    )


def hole_list(words: Words, holes: Sequence[Hole], week: Week) -> Markup:
    """The holes of the days shown in words, those where nobody at all is there first."""
    urgent = sorted(holes, key=lambda hole: (hole.kind != "nobody", hole.kind == "vacant", hole.starts_at))
    lines = [
        tag(
            "li",
            span(cls="hatch", aria_hidden="true"),
            tag(
                "a",
                div(span(_what(words, hole), cls="bold"), span(hole.ground_name, cls="mid"), cls="row"),
                div(_span(words, hole.starts_at, hole.ends_at, week), cls="s12 mute"),
                cls="grow",
                href=f"#g-{hole.ground}",
            ),
            cls=f"hole-row {hole.kind}",
            data_hole=hole.kind,
        )
        for hole in urgent
    ]
    body = tag("ul", lines, cls="holes") if lines else tag("p", words("people.no_holes"), cls="mute")
    return section(heading(words("people.holes"), span(len(lines), cls="mid")), body)


def _what(words: Words, hole: Hole) -> str:
    if hole.post is None:
        return words("people.nobody")
    role = words(f"role.{hole.post}")
    if hole.kind == "vacant":
        return words("people.vacant", role=role)
    return words("people.away", role=role, name=words("people.and").join(hole.members))


def leave_list(
    words: Words, leaves: Sequence[LeaveRow], calendar: RosterCalendar, week: Week, *, keeps: bool
) -> Markup:
    """Leave in the days shown; those that wait for a decision first, each with who could stand in."""
    waiting = sorted(leaves, key=lambda leave: (leave.status != "asked", leave.starts_at))
    people = _people(calendar)
    lines = [_leave(words, leave, people, week, keeps) for leave in waiting if leave.status != "refused"]
    body = tag("ul", lines, cls="leaves") if lines else tag("p", words("people.no_leaves"), cls="mute")
    return section(heading(words("people.leaves"), span(len(lines), cls="mid")), body)


def _leave(
    words: Words, leave: LeaveRow, people: Sequence[tuple[int, str]], week: Week, keeps: bool
) -> Markup:
    asked = leave.status == "asked"
    times = _span(words, leave.starts_at, leave.ends_at, week)
    stand_in = (
        words("people.stands_in", name=leave.stand_in) if leave.stand_in else words("people.no_stand_in")
    )
    return tag(
        "li",
        div(
            span(leave.member, cls="bold"),
            span(words(f"people.kind.{leave.kind}"), cls="tag"),
            span(cls="grow"),
            span(words(f"people.status.{leave.status}"), cls="s12 mid"),
            cls="row",
        ),
        div(times, cls="s12 mute"),
        _stand_in_choice(words, leave, people) if keeps else div(stand_in, cls="s12"),
        _decision(words) if keeps and asked else None,
        cls=f"leave-row {leave.status}",
        data_leave=leave.id,
    )


def _stand_in_choice(words: Words, leave: LeaveRow, people: Sequence[tuple[int, str]]) -> Markup:
    nobody = tag("option", words("people.no_stand_in"), value="", selected=leave.stand_in_id is None)
    options = [
        tag("option", name, value=member, selected=member == leave.stand_in_id)
        for member, name in people
        if member != leave.member_id
    ]
    return tag(
        "label",
        span(words("people.stand_in"), cls="s12 mute"),
        tag("select", nobody, options, data_stand_in=True),
        cls="row stand-in-choice",
    )


def _decision(words: Words) -> Markup:
    return div(
        tag("button", words("people.approve"), type="button", cls="btn primary", data_decide="approve"),
        tag("button", words("people.refuse"), type="button", cls="btn", data_decide="refuse"),
        cls="row",
    )


def _people(calendar: RosterCalendar) -> list[tuple[int, str]]:
    """(member, name and ground) of everybody with a line in the calendar, by ground."""
    found: dict[int, str] = {}
    for ground in calendar.grounds:
        for line in ground.lines:
            found.setdefault(line.member_id, f"{line.name} · {ground.name}")
    return list(found.items())


def _span(words: Words, start: datetime, end: datetime, week: Week) -> str:
    """From when to when, by day and time; an end at midnight is the day's own 24:00."""
    first, last = start.astimezone(week.zone), end.astimezone(week.zone)
    until = clock_time(last, week.zone)
    if last.hour == last.minute == 0:
        last, until = last - timedelta(days=1), "24:00"
    day = day_words(last.date(), words.language) + " " if last.date() != first.date() else ""
    return f"{day_words(first.date(), words.language)} {clock_time(first, week.zone)} – {day}{until}"
