"""The toy city with people signed in, and short ways to report and move a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from gis.access import Principal
from incidents import workflow
from incidents.calendar import CITY_ZONE
from incidents.incident import Incident
from incidents.workflow import ReportDraft, Reported
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NOW, STEP, SUBDISTRICT, ToyCity

HERE = (LON + STEP / 2, LAT + STEP / 2)
"""Well inside the north-east cell."""


class Town:
    """The toy city in a session, and the people who work in it."""

    def __init__(self, session: Session, city: ToyCity) -> None:
        self.session, self.city = session, city
        self.member = Principal(1, "wang", "王小明", "member", NORTH_EAST, city.members[NORTH_EAST])
        self.leader = Principal(2, "liu", "刘芳", "leader", NORTH_EAST, city.leaders[NORTH_EAST])
        self.officer = Principal(3, "zhou", "周明", "community_officer", NORTH_EAST[:12])
        self.operator = Principal(4, "desk", "坐席", "command_operator", "")
        self.inspector = Principal(5, "jian", "监督员", "inspector", SUBDISTRICT)
        self.resident = Principal(6, "sun", "孙某", "resident")
        self.department = Principal(
            8, "chengguan", "城管队", "department_handler", SUBDISTRICT[:6], department="city_management"
        )
        self.stranger = Principal(7, "li", "李某", "community_officer", SUBDISTRICT + "002")

    def report(self, by: Principal, key: str = "k1", *, now: datetime = NOW, **changes: object) -> Reported:
        values = {"lon": HERE[0], "lat": HERE[1], "crs": "EPSG:4490", "category": "9901", "accuracy_m": 10.0}
        draft = ReportDraft(report_key=key, **{**values, **changes})
        return workflow.report(self.session, draft, by=by, now=now, zone=CITY_ZONE)

    def case(self, case: Reported | Incident) -> Incident:
        self.session.expire_all()
        found = self.session.get(Incident, case.id)
        assert found is not None
        return found

    def move(
        self, case: Reported | Incident, name: str, by: Principal, *, now: datetime = NOW, **told: object
    ) -> Incident:
        """Make a move on the case as it stands."""
        version = self.case(case).version
        return workflow.move(self.session, case.id, name, by=by, now=now, version=version, **told)

    def walk(self, case: Reported | Incident, *moves: tuple[str, Principal]) -> Incident:
        """Make several moves one after another, with a reason where one is needed."""
        for name, by in moves:
            self.move(case, name, by, note="因故")
        return self.case(case)


@pytest.fixture
def town(session: Session) -> Town:
    return Town(session, toy_city.build(session))


@pytest.fixture
def settle() -> Callable[[Session], Town]:
    """Build the toy city in a session of the test's own."""
    return lambda session: Town(session, toy_city.build(session))
