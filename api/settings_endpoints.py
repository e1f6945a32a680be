"""The settings: rules of time, categories, the calendar, words of notices; their history, and undoing.

Reading is open to everybody who works at a desk; `incidents.setting_changes` says who may change what.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api import parameters
from api.gate import Door, SignedInDoor
from api.parameters import MAX_ID, TerritoryText
from api.schemas import Body
from gis.access import DESK_ROLES, Principal
from gis.errors import Denied, NotFound
from incidents import category_settings, notice_wording, rule_settings
from incidents.calendar_year import Wanted, read_year, years_wanted
from incidents.categories import every_category
from incidents.notice_kinds import BLANKS
from incidents.rule_overview import Overview, overview
from incidents.rule_settings import LineKey
from incidents.setting_changes import SUBJECTS, SettingChange, change, changes, undo

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])

Code = Annotated[str, Path(max_length=30)]
Year = Annotated[int, Path(ge=2000, le=2100)]
ChangeId = Annotated[int, Path(ge=1, le=MAX_ID)]
Language = Literal["zh", "en"]


def desk_only(by: Principal) -> None:
    """Raises Denied for a role that has no desk."""
    if by.role not in DESK_ROLES:
        raise Denied(
            en="The settings are shown at the desk.",
            zh="设置只在工作台查看。",
            remedy_en="Ask the desk of your territory.",
            remedy_zh="请联系属地值班台。",
        )


class ChangeShown(BaseModel):
    """One change of a setting. `before` and `after` are null where it was not there."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    username: str
    subject: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    undoes: int | None


class Changed(BaseModel):
    """What a change did; null where the setting was so already."""

    change: ChangeShown | None

    @classmethod
    def of(cls, made: SettingChange | None) -> Changed:
        return cls(change=None if made is None else ChangeShown.model_validate(made))


# ---- rules of time ---------------------------------------------------------------------------------


class LineBody(Body):
    """One line of a rule set: whose cases, which clock, and how long. What is left out means any."""

    clock: Annotated[str, Field(max_length=20)]
    category: Annotated[str | None, Field(max_length=8)] = None
    level: Annotated[str | None, Field(max_length=20)] = None
    channel: Annotated[str | None, Field(max_length=20)] = None
    grade: Annotated[int | None, Field(ge=1, le=4)] = None
    kind: Annotated[str | None, Field(max_length=20, description="Left out: the line is taken out.")] = None
    value: Annotated[float | None, Field(gt=0, le=1000)] = None


class NewSetBody(Body):
    """A new rule set: a copy of another, with a name and office hours of its own."""

    copy_of: Annotated[str, Field(max_length=30)]
    name_zh: Annotated[str, Field(max_length=80)]
    name_en: Annotated[str, Field(max_length=80)]
    source: Annotated[str, Field(max_length=200)] = ""
    office_hours: Annotated[str, Field(max_length=60)]


class ChoiceBody(Body):
    """Which set a ground lives by from now on; null follows the ground around it."""

    rule_set: Annotated[str | None, Field(max_length=30)]


@router.get("/rules")
def rules(door: SignedInDoor) -> Overview:
    """Every rule set with its lines in words, each with an example from now on, and who lives by which."""
    with door.open() as (session, by, now):
        desk_only(by)
        return overview(session, by=by, now=now, zone=door.means.settings.zone)


@router.put("/rules/{code}/lines")
def set_line(door: SignedInDoor, code: Code, body: LineBody) -> Changed:
    """Give a line a new version, add one, or without `kind` take it out. Running cases keep theirs."""
    key = LineKey(code, body.clock, body.category, body.level, body.channel, body.grade)
    state = None if body.kind is None else {"kind": body.kind, "value": body.value}
    return _change(door, "rule", str(key), state)


@router.put("/rules/{code}")
def add_set(door: SignedInDoor, code: Code, body: NewSetBody) -> Changed:
    """Add a rule set as a copy of another one."""
    with door.open() as (session, by, now):
        copied = rule_settings.read_set(session, body.copy_of)
        if copied is None:
            raise NotFound(
                en=f"There is no rule set {body.copy_of}.",
                zh=f"没有规则集 {body.copy_of}。",
                remedy_en="GET /api/v1/settings/rules lists them.",
                remedy_zh="请从现有规则集中选。",
            )
        state = copied | body.model_dump(exclude={"copy_of"})
        return Changed.of(change(session, "rule_set", code, state, by=by, now=now))


@router.delete("/rules/{code}")
def remove_set(door: SignedInDoor, code: Code) -> Changed:
    """Take out a rule set that nobody has ever lived by."""
    return _change(door, "rule_set", code, None)


@router.put("/rule-choice")
def choose_set(door: SignedInDoor, body: ChoiceBody, territory: TerritoryText = None) -> Changed:
    """Let a ground (left out: the whole city) live by a rule set from now on. Running cases keep theirs."""
    state = None if body.rule_set is None else {"rule_set": body.rule_set}
    return _change(door, "rule_choice", parameters.territory(territory) or "", state)


# ---- categories ------------------------------------------------------------------------------------


class OptionBody(Body):
    zh: Annotated[str, Field(max_length=60)]
    en: Annotated[str, Field(max_length=60)]


class QuestionBody(Body):
    """One thing a report of the category is asked besides."""

    key: Annotated[str, Field(max_length=30)]
    zh: Annotated[str, Field(max_length=60)]
    en: Annotated[str, Field(max_length=60)]
    kind: Annotated[str, Field(max_length=20)]
    required: bool = False
    options: Annotated[list[OptionBody], Field(default_factory=list, max_length=20)]


class CategoryBody(Body):
    """A category as it should be."""

    kind: Literal["component", "event"]
    group_code: Annotated[str, Field(max_length=8)]
    group_zh: Annotated[str, Field(max_length=30)]
    group_en: Annotated[str, Field(max_length=60)]
    name_zh: Annotated[str, Field(max_length=30)]
    name_en: Annotated[str, Field(max_length=60)]
    icon: Annotated[str, Field(max_length=20)]
    default_role: Annotated[str, Field(max_length=30)]
    department_code: Annotated[str | None, Field(max_length=40)] = None
    needs_confirm: bool = False
    urgent: bool = False
    limit_kind: Annotated[str, Field(max_length=20)]
    limit_value: Annotated[float, Field(gt=0, le=1000)]
    active: bool = True
    questions: Annotated[list[QuestionBody], Field(default_factory=list, max_length=20)]


class CategoryState(CategoryBody):
    """A category as it is."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    code: str
    standard: str | None
    sort: int


class GroupBody(Body):
    """The names of a main class."""

    zh: Annotated[str, Field(max_length=30)]
    en: Annotated[str, Field(max_length=60)]


@router.get("/categories")
def list_categories(door: SignedInDoor) -> list[CategoryState]:
    """Every category, the retired ones too."""
    with door.open() as (session, by, _):
        desk_only(by)
        return [CategoryState.model_validate(one) for one in every_category(session)]


@router.put("/categories/{code}")
def set_category(door: SignedInDoor, code: Code, body: CategoryBody) -> Changed:
    """Add or change a category; `active` false retires it. Cases keep what they were reported as."""
    with door.open() as (session, by, now):
        kept = category_settings.read_category(session, code) or {}
        state = {name: kept[name] for name in ("standard", "sort") if name in kept} | body.model_dump()
        return Changed.of(change(session, "category", code, state, by=by, now=now))


@router.delete("/categories/{code}")
def delete_category(door: SignedInDoor, code: Code) -> Changed:
    """Delete a category that no case has; one that is in use can only be retired."""
    return _change(door, "category", code, None)


@router.put("/category-groups/{code}")
def rename_group(door: SignedInDoor, code: Code, body: GroupBody) -> Changed:
    """Rename a main class."""
    return _change(door, "category_group", code, body.model_dump())


# ---- calendar --------------------------------------------------------------------------------------


class YearBody(Body):
    """A year's holiday notice: days off by their holiday, and weekend days worked instead."""

    off: Annotated[dict[date, Annotated[str, Field(max_length=20)]], Field(max_length=120)]
    worked: Annotated[list[date], Field(default_factory=list, max_length=60)]


class YearShown(BaseModel):
    """What is known of a year; `published` is false before its notice."""

    year: int
    published: bool
    off: dict[date, str]
    worked: list[date]
    wanted: list[Wanted]
    """Unpublished years that open cases reach into."""


@router.get("/calendar/{year}")
def read_calendar(door: SignedInDoor, year: Year) -> YearShown:
    """The named days of a year."""
    with door.open() as (session, by, _):
        desk_only(by)
        known = read_year(session, str(year)) or {"off": {}, "worked": []}
        wanted = years_wanted(session, door.means.settings.zone)
        return YearShown(year=year, published=bool(known["off"]), wanted=wanted, **known)


@router.put("/calendar/{year}")
def set_calendar(door: SignedInDoor, year: Year, body: YearBody) -> Changed:
    """Enter or correct a year. Provisional deadlines are worked out again, and their stories say so."""
    return _change(door, "calendar", str(year), body.model_dump(mode="json"))


# ---- words of notices ------------------------------------------------------------------------------


class Worded(Body):
    """The same in both languages."""

    zh: Annotated[str, Field(max_length=600)]
    en: Annotated[str, Field(max_length=600)]


class NoticeBody(Body):
    """How a kind of notice is sent, and its words; blanks in braces."""

    urgent: bool
    senders: Annotated[list[str], Field(max_length=3)]
    subject: Worded
    text: Worded


class NoticeShown(NoticeBody):
    """A kind of notice as it is worded now; `own` where the city has its own words."""

    kind: str
    own: bool


class NoticesShown(BaseModel):
    kinds: list[NoticeShown]
    blanks: list[str]


class PreviewBody(Body):
    subject: Annotated[str, Field(max_length=600)]
    text: Annotated[str, Field(max_length=600)]
    language: Language = "zh"


class PreviewShown(BaseModel):
    subject: str
    text: str


@router.get("/notices")
def list_notices(door: SignedInDoor) -> NoticesShown:
    """Every kind of notice in its words."""
    with door.open() as (session, by, _):
        desk_only(by)
        kinds = [
            NoticeShown(
                kind=name,
                own=notice_wording.read_wording(session, name) is not None,
                urgent=kind.urgent,
                senders=list(kind.senders),
                subject=Worded(**kind.subject),
                text=Worded(**kind.text),
            )
            for name, kind in notice_wording.worded_kinds(session).items()
        ]
        return NoticesShown(kinds=kinds, blanks=list(BLANKS))


@router.put("/notices/{kind}")
def set_notice(door: SignedInDoor, kind: Code, body: NoticeBody) -> Changed:
    """Give a kind of notice the city's own words."""
    return _change(door, "notice", kind, body.model_dump())


@router.delete("/notices/{kind}")
def reset_notice(door: SignedInDoor, kind: Code) -> Changed:
    """Go back to the shipped words."""
    return _change(door, "notice", kind, None)


@router.post("/notices/preview")
def preview_notice(door: SignedInDoor, body: PreviewBody) -> PreviewShown:
    """What a notice would read like, with a case that never was."""
    with door.open() as (_, by, _now):
        desk_only(by)
    subject, text = notice_wording.preview(body.subject, body.text, body.language)
    return PreviewShown(subject=subject, text=text)


# ---- retention -------------------------------------------------------------------------------------


class RetentionBody(Body):
    """How many days; each kind has its bounds."""

    days: Annotated[int, Field(ge=1, le=36500)]


@router.put("/retention/{kind}")
def set_retention(door: SignedInDoor, kind: Code, body: RetentionBody) -> Changed:
    """After how many days a kind of thing is forgotten (`GET /api/v1/privacy/retention` lists them)."""
    return _change(door, "retention", kind, body.model_dump())


# ---- history ---------------------------------------------------------------------------------------


class HistoryShown(BaseModel):
    changes: list[ChangeShown]


@router.get("/changes")
def list_changes(
    door: SignedInDoor,
    subject: Annotated[str | None, Query(max_length=20, description=", ".join(SUBJECTS))] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> HistoryShown:
    """Who changed what, newest first."""
    with door.open() as (session, by, _):
        desk_only(by)
        found = changes(session, subject=subject, limit=limit)
        return HistoryShown(changes=[ChangeShown.model_validate(one) for one in found])


@router.post("/changes/{change_id}/undo")
def undo_change(door: SignedInDoor, change_id: ChangeId) -> Changed:
    """Put a setting back into the state before a change; a change made since is a conflict."""
    with door.open() as (session, by, now):
        return Changed.of(undo(session, change_id, by=by, now=now, zone=door.means.settings.zone))


def _change(door: Door, subject: str, key: str, state: dict[str, Any] | None) -> Changed:
    with door.open() as (session, by, now):
        return Changed.of(change(session, subject, key, state, by=by, now=now, zone=door.means.settings.zone))
