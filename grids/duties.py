"""Who holds which post on which ground, from when to when, and who stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, SmallInteger, Time, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.access import Principal
from gis.database import Base, Code, territory_column
from gis.errors import Denied, Invalid, NotFound
from gis.masking import mask_phone
from grids import roster
from grids.members import ROSTER_KEEPERS
from grids.roster import CITY_ZONE, Holder, Roster

POSTS = (
    "member",
    "leader",
    "police_officer",
    "property_manager",
    "building_head",
    "street_chief",
    "subdistrict_duty_officer",
)


class Duty(Base):
    """One post held by one person over a span of time.

    `ground` is a social cell's code, or a subdistrict's for the posts of a subdistrict. `ends_at` absent
    means until further notice; the span is half open, so a handover at noon has exactly one holder.
    `stand_in_for` names the member whose post this one holds meanwhile. A building head may hold one unit, or
    the floors from `floor_from` to `floor_to`, of a building; without them the whole of it.
    """

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint(f"post IN {POSTS}", name="post_known"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        Index("ix_duty_ground_post", "ground", "post"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    post: Mapped[str]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    ground: Mapped[str] = mapped_column(Code)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id"), index=True)
    unit: Mapped[str | None]
    floor_from: Mapped[int | None]
    floor_to: Mapped[int | None]
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stand_in_for: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    territory: Mapped[str] = territory_column()


class Shift(Base):
    """Hours of the week in which a duty is held; a duty without shifts is held around the clock.

    `weekday` counts from Monday = 0. `starts` and `ends` are wall-clock times in the city's time zone; an end
    at or before the start lies on the next day, so 20:00 to 08:00 is a night and 00:00 to 00:00 a whole day.
    """

    __tablename__ = "shift"
    __table_args__ = (CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_known"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)
    territory: Mapped[str] = territory_column()


def keeps_the_roster(by: Principal) -> None:
    """Raises Denied for a role that keeps no roster."""
    if by.role not in ROSTER_KEEPERS:
        raise Denied(
            en="Your role does not keep the roster.",
            zh="您的角色不能排班。",
            remedy_en="Ask the subdistrict office.",
            remedy_zh="请联系街道办。",
        )


def own_duty(session: Session, duty_id: int, by: Principal) -> Duty:
    """A duty to be changed, locked. Raises Denied for a role that keeps no roster, NotFound for a duty that
    is not on one's ground."""
    keeps_the_roster(by)
    duty = session.get(Duty, duty_id, with_for_update=True)
    if duty is None or not by.covers(duty.territory):
        raise NotFound(
            en=f"There is no duty {duty_id} on your ground.",
            zh=f"您的辖区内没有岗位 {duty_id}。",
            remedy_en="Reload the roster.",
            remedy_zh="请刷新值班表。",
        )
    return duty


def set_shifts(
    session: Session, duty_id: int, hours: Sequence[tuple[int, time, time]], *, by: Principal
) -> None:
    """Give a duty its weekly hours in place of those it had; none means around the clock.

    `hours` are (weekday, starts, ends) as in `Shift`. Raises Denied for a role that keeps no roster, NotFound
    for a duty that is not on one's ground, Invalid for a weekday that is none.
    """
    duty = own_duty(session, duty_id, by)
    if any(not 0 <= weekday <= 6 for weekday, _, _ in hours):
        raise Invalid(
            en="Weekdays count from Monday = 0 to Sunday = 6.",
            zh="星期从周一 = 0 到周日 = 6。",
            remedy_en="Correct the weekday.",
            remedy_zh="请更正星期。",
        )
    session.execute(delete(Shift).where(Shift.duty_id == duty.id))
    session.add_all(
        Shift(duty_id=duty.id, weekday=weekday, starts=starts, ends=ends, territory=duty.territory)
        for weekday, starts, ends in hours
    )
    session.flush()


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a team as a card shows it: masked, with the person standing in for an absent one.

    `ends_at` is when the present shift ends, else when the duty does (None: until further notice). `why` is
    on_duty, off_shift, leave or switch.
    """

    duty_id: int
    post: str
    member_id: int
    name: str
    phone: str | None
    on_duty: bool
    ends_at: datetime | None
    building_id: int | None
    stand_in: str | None
    why: str = "on_duty"


RANK = ("leader", "member", *sorted(set(POSTS) - {"leader", "member"}))


def team(session: Session, ground: str, *, at: datetime, zone: ZoneInfo = CITY_ZONE) -> list[Post]:
    """The team of a cell (1 + 1 + 1 + N) or the posts of a subdistrict at a moment, in the order of rank."""
    people = roster.at_instant(session, [ground], at, zone=zone, every_building=True)
    own = [holder for holder in people.holders if holder.stand_in_for is None]
    own.sort(key=lambda holder: (RANK.index(holder.post), holder.duty_id))
    return [_post(people, holder, at) for holder in own]


def _post(people: Roster, holder: Holder, at: datetime) -> Post:
    person = people.people[holder.member_id]
    why = people.why(holder, holder.member_id, at)
    there = (p.shown_name for p in people.stand_ins(holder, at) if people.is_present(p.id, at))
    return Post(
        holder.duty_id,
        holder.post,
        holder.member_id,
        person.shown_name,
        mask_phone(person.phone),
        why == "on_duty",
        people.shift_end(holder, at) or holder.ends_at,
        holder.building_id,
        None if why in ("on_duty", "off_shift") else next(there, None),
        why,
    )
