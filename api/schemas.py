"""The bodies that come in and the answers that go out, where they differ from what the rooms below return.

Answers that are a room's own rows (a case, its story, a page of cases) go out as that room's dataclasses.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from api.auth import SignedIn
from api.parameters import MAX_ID
from gis.access import Principal
from gis.masking import mask_name, mask_phone
from gis.text import line_of, words_of
from grids.receivers import Person
from grids.responsibility import Responsibility
from incidents.lifecycle import MOVES
from incidents.locating import DeclaredPlace, locate
from incidents.queries import IncidentDetail, MoveRow, PhotoRow, Row
from incidents.workflow import MAX_DESCRIPTION, MAX_TITLE, ReportDraft, Reported

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
ONE_LINE = AfterValidator(lambda text: line_of(text or "") or None)
PROSE = AfterValidator(lambda text: words_of(text or "") or None)
"""What a person wrote, as it shows on a screen (`gis.text`); None where nothing shows. These stand behind the
limit of what may be sent."""


class Body(BaseModel):
    """A body from outside: a misspelt field is a fault, not a silence."""

    model_config = ConfigDict(extra="forbid")


class Credentials(Body):
    """Name and password, and how long the sign-in should last."""

    username: Annotated[str, Field(max_length=80)]
    password: Annotated[str, Field(max_length=200)]
    phone: Annotated[
        bool, Field(description="True on a phone: stays signed in for 30 days, not 12 hours.")
    ] = False
    code: Annotated[
        str | None, Field(max_length=20, description="The second factor's code, or a recovery code.")
    ] = None


class ReportBody(Body):
    """A report. Its limits are the workflow's own; what the city knows about the place is asked there."""

    report_key: Annotated[
        str, Field(description="Chosen by the reporter; the same key again is the same report.")
    ]
    lon: Annotated[float, Field(description="Degrees, or easting in metres for a Gauss-Kruger zone.")]
    lat: Annotated[float, Field(description="Degrees, or northing in metres for a Gauss-Kruger zone.")]
    crs: Annotated[
        str | None,
        Field(description="EPSG:4490, EPSG:4326, GCJ-02, BD-09 or EPSG:4491..4554. Never guessed."),
    ] = None
    category: Annotated[str, Field(max_length=40)]
    description: Annotated[
        str, Field(description=f"At most {MAX_DESCRIPTION} characters."), AfterValidator(words_of)
    ] = ""
    title: Annotated[str | None, Field(description=f"At most {MAX_TITLE} characters."), ONE_LINE] = None
    accuracy_m: float | None = None
    accuracy_level: Annotated[
        int | None, Field(description="68 or 95: the share of fixes within accuracy_m.")
    ] = None
    floor: Annotated[int | None, Field(ge=-20, le=200)] = None
    unit: Annotated[str | None, Field(max_length=40), ONE_LINE] = None
    room: Annotated[
        str | None, Field(max_length=20, description="The door within the floor: 302."), ONE_LINE
    ] = None
    component_id: Id | None = None
    channel: Annotated[str | None, Field(description="Left out: that of the reporter's role.")] = None
    on_behalf: Annotated[
        str | None, Field(max_length=80, description="The resident it is reported for."), ONE_LINE
    ] = None
    answers: Annotated[
        dict[str, Any], Field(max_length=20, description="Answers to the category's questions, by key.")
    ] = {}
    chosen_cell: Annotated[
        str | None,
        Field(max_length=15, description="Which of the two candidate cells the reporter stands in."),
    ] = None
    same_as: Annotated[
        Id | None, Field(description="A case of GET /api/v1/incidents/alike that this is one more report of.")
    ] = None
    photos: Annotated[
        list[Any],
        Field(max_length=0, description="Stays empty: photographs are multipart files named photos."),
    ] = []

    def draft(self, channel: str) -> ReportDraft:
        """The report as the workflow takes it; an absent declaration stays absent and is refused there."""
        values = self.model_dump(exclude={"photos", "channel", "crs"})
        return ReportDraft(**values, crs=self.crs or "", channel=channel)


class PlaceBody(Body):
    """A place as somebody states it."""

    lon: float
    lat: float
    crs: str | None = None
    accuracy_m: float | None = None
    accuracy_level: int | None = None

    def declared(self) -> DeclaredPlace:
        return DeclaredPlace(**self.model_dump())

    def stored(self) -> tuple[float, float]:
        """lon, lat in EPSG:4490. Raises Invalid as `locate` does."""
        fix = locate(**self.model_dump())
        return fix.lon, fix.lat


class MoveBody(Body):
    """One move, of the case as it stood at `version`. What a move must be told is listed with it."""

    move: Annotated[str, Field(max_length=40, description="One of: " + ", ".join(MOVES))]
    version: Annotated[int, Field(ge=0, le=MAX_ID)]
    note: Annotated[str | None, Field(max_length=1000), PROSE] = None
    member_id: Annotated[Id | None, Field(description="Whom to send it to; left out: as routed.")] = None
    amount: Annotated[float | None, Field(gt=0, le=1000, description="Units of more time.")] = None
    review_on: Annotated[date | None, Field(description="When a parked case is looked at again.")] = None
    place: Annotated[PlaceBody | None, Field(description="The right place of a wrong pin.")] = None
    department: Annotated[
        str | None, Field(max_length=40, description="The department asked to help, in place of a member.")
    ] = None
    subtask_id: Annotated[Id | None, Field(description="The piece of work a move is made with.")] = None
    case_id: Annotated[Id | None, Field(description="The earlier case that this report joins.")] = None
    here: Annotated[PlaceBody | None, Field(description="Where the person stands while doing it.")] = None
    photos: Annotated[list[Id], Field(max_length=9, description="Photographs already uploaded.")] = []


class DutyBody(Body):
    """The switch on the phone."""

    on_duty: bool


class PrincipalShown(BaseModel):
    """Whom a token stands for. `territory` is a code prefix; "" the whole city; null no ground."""

    account_id: int
    username: str
    display_name: str
    role: str
    territory: str | None
    member_id: int | None

    @classmethod
    def of(cls, by: Principal) -> PrincipalShown:
        return cls(
            account_id=by.account_id,
            username=by.username,
            display_name=by.display_name,
            role=by.role,
            territory=by.territory,
            member_id=by.member_id,
        )


class SessionShown(BaseModel):
    """A fresh sign-in. The token is shown this once."""

    token: str
    expires_at: datetime
    principal: PrincipalShown
    first: Annotated[
        list[str],
        Field(
            description="What must be done before anything else: code, password, second_factor, undertaking."
        ),
    ] = []

    @classmethod
    def of(cls, signed_in: SignedIn) -> SessionShown:
        return cls(
            token=signed_in.token,
            expires_at=signed_in.expires_at,
            principal=PrincipalShown.of(signed_in.principal),
            first=list(signed_in.first),
        )


class PersonShown(BaseModel):
    """Somebody on the roster, masked."""

    id: int
    name: str
    post: str
    on_duty: bool
    phone: str | None

    @classmethod
    def of(cls, person: Person | None) -> PersonShown | None:
        if person is None:
            return None
        return cls(
            id=person.id,
            name=mask_name(person.name),
            post=person.post,
            on_duty=person.on_duty,
            phone=mask_phone(person.phone),
        )


class ResponsibilityShown(BaseModel):
    """Who answers for a place, why, and how sure that is."""

    member: PersonShown | None
    handler: PersonShown | None
    building_head: PersonShown | None
    department: str | None
    rule: str
    generation: str
    cell_code: str | None
    cell_name: str | None
    territory: str
    confidence: float
    border_m: float | None
    second_cell: str | None
    second_cell_name: str | None
    second_member: PersonShown | None
    second_confidence: float
    building_id: int | None
    place: str | None
    reason_zh: str
    reason_en: str
    trace: list[dict[str, str]]
    ask: bool = False
    """Whether the reporter should be asked which of the two sides it is on."""

    @classmethod
    def of(cls, answer: Responsibility, *, ask_below: float = 0.0) -> ResponsibilityShown:
        values = {name: getattr(answer, name) for name in cls.model_fields if name != "ask"}
        values["ask"] = answer.second_cell is not None and answer.confidence < ask_below
        for name in ("member", "handler", "building_head", "second_member"):
            values[name] = PersonShown.of(values[name])
        return cls(**values)


class ReportAnswer(BaseModel):
    """What became of a report. `created` is false when its key had been answered before."""

    id: int
    number: str
    tracking_code: str
    stage: str
    version: int
    created: bool
    responsibility: ResponsibilityShown | None
    joined_to: str | None
    """The number of the case it has joined; it is answered with that one."""
    photos: list[PhotoRow]

    @classmethod
    def of(cls, reported: Reported, photos: list[PhotoRow]) -> ReportAnswer:
        answer = reported.responsibility
        return cls(
            id=reported.id,
            number=reported.number,
            tracking_code=reported.tracking_code,
            stage=reported.stage,
            version=reported.version,
            created=reported.created,
            responsibility=ResponsibilityShown.of(answer) if answer else None,
            joined_to=reported.joined_to,
            photos=photos,
        )


class OpenMove(BaseModel):
    """A move this person may make now, and what it must or may be told."""

    name: str
    zh: str
    en: str
    needs_note: bool
    takes_member: bool
    takes_amount: bool
    takes_date: bool
    takes_place: bool
    takes_force: bool
    takes_case: bool

    @classmethod
    def of(cls, name: str) -> OpenMove:
        move = MOVES[name]
        return cls(name=name, **{key: getattr(move, key) for key in cls.model_fields if key != "name"})


def _case_fields() -> dict[str, Any]:
    """A case's row and everything else about it, side by side, as the rooms below declare them."""
    fields = get_type_hints(Row) | get_type_hints(IncidentDetail) | {"moves": list[OpenMove]}
    del fields["row"]
    return {name: (kind, ...) for name, kind in fields.items()}


CaseShown = create_model(
    "CaseShown",
    __doc__="One case with everything about it, and the moves open to the person asking.",
    **_case_fields(),
)


def case_shown(case: IncidentDetail) -> dict[str, Any]:
    """The values of a `CaseShown`."""
    values = {name: getattr(case, name) for name in get_type_hints(IncidentDetail) if name != "row"}
    return asdict(case.row) | values | {"moves": [OpenMove.of(name) for name in case.moves]}


class MovesShown(BaseModel):
    """What may happen next, at which version, and what happened so far."""

    stage: str
    version: int
    moves: list[OpenMove]
    story: list[MoveRow]


class MoveAnswer(BaseModel):
    """A case after a move, and what the person may do with it now."""

    id: int
    number: str
    stage: str
    version: int
    moves: list[OpenMove]


class PhotosShown(BaseModel):
    """Photographs as kept; each is read at /api/v1/photos/{id}."""

    photos: list[PhotoRow]


class PageShown(BaseModel):
    """A page of cases; `next` is the `after` of the page behind it, null at the end."""

    incidents: list[Row]
    next: str | None


class CategoryShown(BaseModel):
    """One small class a report may name."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    kind: str
    name_zh: str
    name_en: str
    icon: str
    default_role: str
    department_code: str | None
    needs_confirm: bool
    urgent: bool
    limit_kind: str
    limit_value: float
    questions: list[dict[str, Any]]
    """What a report of it is asked besides; the answers go under their `key`."""


class GroupShown(BaseModel):
    """A main class with the categories in it."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    zh: str
    en: str
    categories: list[CategoryShown]
