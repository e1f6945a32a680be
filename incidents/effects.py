"""What a move changes besides the stage: one small function a move, all over one `Step`.

Pieces of work for other forces are `subtasks`' subject, reports of one thing `duplicates`'.

An effect checks what it was given before it changes anything. The stage has been set when it is called; the
clocks follow the new stage when it returns, so an effect touches them only where a move does something of
its own with time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from gis.errors import Invalid
from gis.geometry import Fix
from grids import own_posts
from grids.responsibility import WORDS, responsible_for
from incidents import duplicates, overrides, staged_limits, subtasks
from incidents.incident import LEVELS, Incident
from incidents.locating import locate
from incidents.step import Step, member_named
from incidents.subtask_life import SUBTASK_MOVES

REVIEW_AFTER = timedelta(days=30)
"""When a parked case is looked at again if nobody said when."""
MAX_REVIEW = timedelta(days=3 * 366)


def _register(step: Step) -> None:
    step.case.registered_at = step.now


def _dispatch(step: Step) -> None:
    """Hand the case to a person; another one than the routing proposed is kept as an override."""
    case = step.case
    member = member_named(step, step.member_id if step.member_id is not None else overrides.proposed(case))
    case.handler_id = member.id
    case.registered_at = case.registered_at or step.now
    case.dispatched_at, case.accepted_at = step.now, None
    overrides.keep(step.session, case, step.note, by=step.by, now=step.now)
    staged_limits.begin(step)


def _reassign(step: Step) -> None:
    """Another person takes over, and the clock goes on as it was: the city promised a time, not a person."""
    case = step.case
    member = member_named(step, step.member_id)
    step.details["from_member"] = case.handler_id
    case.handler_id, case.accepted_at = member.id, None
    overrides.keep(step.session, case, step.note, by=step.by, now=step.now)


def _undo(step: Step) -> None:
    """As if it had never been dispatched: the clock of the desk goes on where it was."""
    step.clocks.stop("undo")
    _nobody_has_it(step.case)
    step.clocks.take_up_again(forget=True)


def _accept(step: Step) -> None:
    step.case.accepted_at = step.now


def _finish(step: Step) -> None:
    step.case.finished_at = step.now


def _verify(step: Step) -> None:
    step.case.verified_at = step.now


def _rework(step: Step) -> None:
    """The handling clock goes on with what was left when the work was said to be done.

    Where whoever did it has left meanwhile, the case goes to the person who would get it today.
    """
    case = step.case
    case.finished_at = case.verified_at = None
    step.clocks.stop("rework")
    step.clocks.take_up_again()
    if case.handler_id is not None and not own_posts.holds_any(step.session, case.handler_id, at=step.now):
        lon, lat = step.lon_lat
        answer = responsible_for(
            step.session,
            Fix(lon, lat, case.accuracy_m, case.accuracy_level),
            at=step.now,
            category=case.category,
            component_id=case.component_id,
            floor=case.floor,
            unit=case.unit,
            zone=step.zone,
        )
        if answer.handler is not None:
            step.follow_up, step.member_id = "reassign", answer.handler.id


def _hand_back(step: Step) -> None:
    _nobody_has_it(step.case)


def _escalate(step: Step) -> None:
    """Up one level of the ladder, where somebody else will have it."""
    case = step.case
    step.details["from_level"] = case.level
    case.level = step.details["to_level"] = LEVELS[LEVELS.index(case.level) + 1]
    _nobody_has_it(case)


def _supervise(step: Step) -> None:
    step.case.supervised_at = step.now


def _extend(step: Step) -> None:
    """Ask for more time; without an amount, for as much again as the limit gave."""
    limit = step.clocks.limit
    units = step.amount if step.amount is not None else limit.value
    step.case.extension_asked = step.clocks.units(units)
    step.details |= {"asked": units, "kind": limit.kind}


def _grant(step: Step) -> None:
    """Give the time that was asked for, or the amount the desk names instead."""
    asked = float(step.case.extension_asked or 0)
    units = step.amount if step.amount is not None else asked
    step.details |= {"asked": asked, "granted": units, "kind": step.clocks.limit.kind}
    step.clocks.extend(units)
    step.case.extension_asked = None


def _refuse(step: Step) -> None:
    step.details["asked"] = float(step.case.extension_asked or 0)
    step.case.extension_asked = None


def _pause(step: Step) -> None:
    step.clocks.hold()


def _park(step: Step) -> None:
    """Set aside as a risk point, with a day on which it is looked at again."""
    today = step.now.astimezone(step.zone).date()
    review_on = step.review_on or today + REVIEW_AFTER
    if not today < review_on <= today + MAX_REVIEW:
        raise Invalid(
            en=f"A review on {review_on} is not possible.",
            zh=f"复查日期不能是 {review_on}。",
            remedy_en="Give a day after today and within three years.",
            remedy_zh="请填今天之后、三年以内的日期。",
        )
    step.case.review_on = review_on
    step.details["review_on"] = review_on.isoformat()
    step.clocks.hold()


def _go_on(step: Step) -> None:
    """After a pause or a parking: the clock runs again with what was left."""
    step.case.review_on = None
    step.clocks.release()


def _end(step: Step) -> None:
    """The end, of the pieces of work of other forces too; the reporter is told with the same move."""
    step.case.closed_at = step.case.answered_at = step.now
    step.case.review_on = None
    subtasks.cancel_all(step)


def _appeal(step: Step) -> None:
    step.case.appealed_at = step.now


def _dismiss(step: Step) -> None:
    step.case.appealed_at, step.case.answered_at = None, step.now


def _reopen(step: Step) -> None:
    """The same case again, under the same number, as if it had just been registered.

    A report that had ended with another case stands on its own from now on.
    """
    case = step.case
    case.closed_at = case.verified_at = case.finished_at = case.appealed_at = case.answered_at = None
    case.registered_at = case.registered_at or step.now
    _nobody_has_it(case)
    if case.joined_to is not None:
        duplicates.leave(step)


def _relocate(step: Step) -> None:
    """Put the pin where it belongs and ask again who answers; the old place and answer stay in the story.

    Whoever had the case by the old answer loses it to the person of the new one, with the same clock.
    """
    case, told = step.case, step.place
    if told is None:
        raise Invalid(
            en="Moving the pin needs the right place.",
            zh="改位置须给出正确的位置。",
            remedy_en="Send lon, lat and crs of the place.",
            remedy_zh="请给出正确位置的经纬度和坐标系。",
        )
    fix = locate(told.lon, told.lat, told.crs, accuracy_m=told.accuracy_m, accuracy_level=told.accuracy_level)
    answer = responsible_for(
        step.session,
        fix,
        at=step.now,
        category=case.category,
        floor=case.floor,
        unit=case.unit,
        zone=step.zone,
    )
    step.details |= {
        "from": {
            "lon": step.lon_lat[0],
            "lat": step.lon_lat[1],
            "territory": case.territory,
            "cell_code": case.cell_code,
            "member_id": case.member_id,
            "decision": case.decision | {name: getattr(case, name) for name in WORDS},
        },
        "to": {"lon": fix.lon, "lat": fix.lat, "territory": answer.territory, "cell_code": answer.cell_code},
    }
    case.source_lon, case.source_lat, case.source_crs = told.lon, told.lat, told.crs or ""
    case.accuracy_m, case.accuracy_level = told.accuracy_m, told.accuracy_level
    case.component_id = None
    for name in (
        "place", "building_id", "generation", "cell_code", "territory", "rule", "confidence", "border_m",
        "second_cell", *WORDS,
    ):  # fmt: skip
        setattr(case, name, getattr(answer, name))
    case.decision = answer.as_kept()
    case.department_code = answer.department
    case.member_id = answer.member.id if answer.member else None
    case.second_member_id = answer.second_member.id if answer.second_member else None
    step.lon_lat = (fix.lon, fix.lat)
    step.clocks.move_to(answer.territory)
    subtasks.move_to(step.session, case)
    if case.handler_id is not None and answer.handler and answer.handler.id != case.handler_id:
        step.follow_up, step.member_id = "reassign", answer.handler.id


def _recompute(step: Step) -> None:
    """Work the running clock out again and tell what became of its deadline."""
    before = step.case.due_at
    step.clocks.recompute()
    after = step.clocks.running.due_at if step.clocks.running else before
    old, new = (at.astimezone(step.zone).strftime("%Y-%m-%d %H:%M") if at else "" for at in (before, after))
    step.details |= {"from_due": old, "to_due": new}
    step.note = (
        f"放假安排已公布，时限不变：{new}。" if old == new else f"放假安排已公布，时限由 {old} 改为 {new}。"
    )


def _nobody_has_it(case: Incident) -> None:
    case.handler_id = case.dispatched_at = case.accepted_at = None


EFFECTS: dict[str, Callable[[Step], None]] = {
    "register": _register,
    "confirm": _register,
    "dispatch": _dispatch,
    "reassign": _reassign,
    "undo": _undo,
    "accept": _accept,
    "finish": _finish,
    "verify": _verify,
    "rework": _rework,
    "hand_back": _hand_back,
    "escalate": _escalate,
    "supervise": _supervise,
    "extend": _extend,
    "grant": _grant,
    "refuse": _refuse,
    "pause": _pause,
    "go_on": _go_on,
    "park": _park,
    "resume": _go_on,
    "close": _end,
    "reject": _end,
    "void": _end,
    "appeal": _appeal,
    "dismiss": _dismiss,
    "reopen": _reopen,
    "relocate": _relocate,
    "recompute": _recompute,
    "assist": subtasks.ask,
    **dict.fromkeys(SUBTASK_MOVES, subtasks.advance),
    "join": duplicates.join,
    "split": duplicates.split,
}
"""Move -> what it changes. A move that is not here changes the stage alone."""
