"""What the public is told in numbers: how many cases a community had, of a main class, in a month.

One level only, and no totals. Each number is a function of its own bin and of nothing else, the bins have no
case in common, and a month is published once, when it is over and settled, and never again. So whatever is
added up or taken from one another, the worlds that fit what was published are a plain product of what fits
each bin: a hidden one may hold anything from 0 to k - 1, for somebody too who knows this rule.

Of the cases of a bin those done in time are told only where they and the others are both k or more; where
one part is smaller than k (and the whole is large enough that this says nothing more), that is said instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, DateTime, ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis import audit
from gis.access import CODE_WIDTHS, Principal
from gis.database import Base, Code
from gis.errors import NotFound

ROUNDED_TO = 5
"""Shown numbers are rounded down to a multiple of this: a total known from elsewhere gives nobody away."""
SETTLED_AFTER = timedelta(days=15)
"""After a month's end, until what is published of it is counted."""
TOLD, MOST, FEW = "told", "most", "few"
"""Of a bin's share in time: its number is told; fewer than k were not in time; fewer than k were."""


class PublicMonth(Base):
    """A month that was published: under which number a bin is hidden, and how numbers are rounded."""

    __tablename__ = "public_month"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="is_a_month"),
        {"info": {"open": True}},
    )

    month: Mapped[date] = mapped_column(primary_key=True)
    hidden_below: Mapped[int]
    rounded_to: Mapped[int]
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PublicBin(Base):
    """One bin as it is shown. `shown` is None where it is hidden; the true number is nowhere kept here."""

    __tablename__ = "public_bin"
    __table_args__ = (
        CheckConstraint("share IS NULL OR share IN ('told', 'most', 'few')", name="share_known"),
        CheckConstraint("shown IS NOT NULL OR (share IS NULL AND in_time IS NULL)", name="hidden_is_hidden"),
        {"info": {"open": True}},
    )

    month: Mapped[date] = mapped_column(ForeignKey(PublicMonth.month), primary_key=True)
    community_code: Mapped[str] = mapped_column(Code, primary_key=True)
    group_code: Mapped[str] = mapped_column(primary_key=True)
    shown: Mapped[int | None]
    in_time: Mapped[int | None]
    share: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a bin of true numbers may say."""

    shown: int | None = None
    in_time: int | None = None
    share: str | None = None


def shown(cases: int, in_time: int, *, k: int, step: int = ROUNDED_TO) -> Shown:
    """What may be said of a bin of `cases`, of which `in_time` were done in time.

    A part under k is named only where the rounded whole is at least 2k - 1: then it may be anything from 0
    to k - 1, whatever else is known of the bin.
    """
    if cases < k:
        return Shown()
    whole = max(cases // step * step, k)
    late = cases - in_time
    if in_time >= k and late >= k:
        return Shown(whole, max(in_time // step * step, k), TOLD)
    if whole < 2 * k - 1:
        return Shown(whole)
    return Shown(whole, None, MOST if late < k else FEW)


# A report that joined another is counted with that one; what was no case at all is not counted.
_COUNTED = """
    SELECT left(i.territory, :width) AS community, c.group_code, count(*) AS cases,
           count(*) FILTER (WHERE i.stage = 'closed' AND i.finished_at <= i.due_at) AS in_time
    FROM incident AS i JOIN category AS c ON c.code = i.category
    WHERE i.reported_at >= :begins AND i.reported_at < :ends AND i.joined_to IS NULL
      AND i.stage NOT IN ('void', 'rejected', 'joined') AND length(i.territory) >= :width
    GROUP BY 1, 2
"""
# Every community with every class: an empty bin and a small one look alike.
_BINS = sa.text(
    f"""
    SELECT a.code AS community, g.group_code, coalesce(n.cases, 0) AS cases, coalesce(n.in_time, 0) AS in_time
    FROM area AS a CROSS JOIN (SELECT DISTINCT group_code FROM category) AS g
    LEFT JOIN ({_COUNTED}) AS n ON n.community = a.code AND n.group_code = g.group_code
    WHERE a.level = 'community' ORDER BY 1, 2
    """
)


def publish_due(
    session: Session, now: datetime, *, k: int, zone: ZoneInfo, by: Principal | None = None
) -> list[date]:
    """Publish every month that is over, settled and not published yet; returns them, oldest first.

    A month that was published once stays as it is, whatever becomes of its cases.
    """
    first = session.execute(sa.text("SELECT min(reported_at) FROM incident")).scalar()
    if first is None:
        return []
    known = set(session.scalars(sa.select(PublicMonth.month)))
    wanted = [month for month in _months(first, now - SETTLED_AFTER, zone) if month not in known]
    return [month for month in wanted if _publish(session, month, now, k=k, zone=zone, by=by)]


def _months(first: datetime, until: datetime, zone: ZoneInfo) -> Iterable[date]:
    """The first days of the months from `first` on that had ended by `until`."""
    month = first.astimezone(zone).date().replace(day=1)
    while _midnight(_next(month), zone) <= until:
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _publish(
    session: Session, month: date, now: datetime, *, k: int, zone: ZoneInfo, by: Principal | None
) -> bool:
    """Publish one month; False where another process has."""
    row = {"month": month, "hidden_below": k, "rounded_to": ROUNDED_TO, "published_at": now}
    mine = insert(PublicMonth).values(row).on_conflict_do_nothing().returning(PublicMonth.month)
    if session.scalar(mine) is None:
        return False
    span = {"begins": _midnight(month, zone), "ends": _midnight(_next(month), zone)}
    bins = []
    for one in session.execute(_BINS, span | {"width": CODE_WIDTHS["community"]}):
        told = shown(one.cases, one.in_time, k=k)
        bins.append(
            {
                "month": month,
                "community_code": one.community,
                "group_code": one.group_code,
                "shown": told.shown,
                "in_time": told.in_time,
                "share": told.share,
            }
        )
    if bins:
        session.execute(sa.insert(PublicBin), bins)
    hidden = sum(one["shown"] is None for one in bins)
    audit.record(
        session, "public.publish", "public_month", month, by=by, now=now, bins=len(bins), hidden=hidden,
        hidden_below=k,
    )  # fmt: skip
    return True


def months(session: Session) -> Sequence[PublicMonth]:
    """The published months, the newest first."""
    return session.scalars(sa.select(PublicMonth).order_by(PublicMonth.month.desc())).all()


def bins_of(session: Session, month: date) -> tuple[PublicMonth, Sequence[PublicBin]]:
    """A published month with its bins, by community and class. Raises NotFound."""
    found = session.get(PublicMonth, month)
    if found is None:
        raise NotFound(
            en=f"Nothing is published of {month:%Y-%m}.",
            zh=f"{month:%Y-%m} 没有公布数据。",
            remedy_en="A month is published once, some two weeks after its end.",
            remedy_zh="每月结束约两周后公布一次。",
        )
    order = (PublicBin.community_code, PublicBin.group_code)
    return found, session.scalars(sa.select(PublicBin).filter_by(month=month).order_by(*order)).all()


@dataclass(frozen=True, slots=True)
class GroupName:
    """A main class, for the choice of what is shown."""

    code: str
    zh: str
    en: str


def group_names(session: Session) -> list[GroupName]:
    """The main classes by code, whether or not anything of them is shown."""
    rows = session.execute(
        sa.text(
            "SELECT DISTINCT ON (group_code) group_code, group_zh, group_en FROM category"
            " ORDER BY group_code, sort"
        )
    )
    return [GroupName(*row) for row in rows]
