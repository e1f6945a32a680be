"""The demo city in the database: codes, coverage, truth, people, a living today. Small, and once whole."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from etl.activation import activate_generation
from etl.demo_city import DemoSummary, is_empty, load_demo
from etl.demo_city.loading import TABLES
from gis.access import CODE_WIDTHS, Principal
from gis.cluster import PrivateCluster
from gis.database import Database
from gis.errors import Conflict
from grids import owner_map
from grids.duties import team
from grids.duty_check import holes
from incidents.incident import ENDED
from incidents.lifecycle import MOVES
from incidents.misroutes import disputed_strips
from incidents.photos import path_of
from incidents.queries import Counters, Filter, counters, list_incidents
from tests.conftest import clone, drop

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY_AFTERNOON = datetime(2026, 11, 23, 14, 32, tzinfo=ZONE)
OFFICER = Principal(1, "city", "市级", "city_officer", "9901")


@dataclass(frozen=True)
class Loaded:
    """A demo city in a database of its own, read inside one transaction."""

    session: Session
    summary: DemoSummary
    now: datetime
    told: list[tuple[str, float]]
    photos: Path

    def all(self, query: str, **values: object) -> list[tuple]:
        return [tuple(row) for row in self.session.execute(sa.text(query), values)]

    def one(self, query: str, **values: object) -> object:
        return self.session.execute(sa.text(query), values).scalar_one()

    def counters(self, territory: str | None = None) -> Counters:
        return counters(self.session, by=OFFICER, now=self.now, zone=ZONE, territory=territory)


def loaded(database: Database, size: str, as_of: datetime, photos: Path) -> Iterator[Loaded]:
    told: list[tuple[str, float]] = []
    with Session(database.system_engine) as session:
        summary = load_demo(
            session,
            size=size,
            seed=1,
            as_of=as_of,
            zone=ZONE,
            progress=lambda what, share: told.append((what, share)),
            photo_folder=photos,
        )
        yield Loaded(session, summary, as_of, told, photos)
        session.rollback()


@pytest.fixture(scope="module")
def own_database(cluster: PrivateCluster, template: str, worker_id: str) -> Iterator[Database]:
    name = f"demo_city_{worker_id}"
    database = Database(clone(cluster, template, name))
    yield database
    database.dispose()
    drop(cluster, name)


@pytest.fixture(scope="module")
def city(own_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    photos = tmp_path_factory.mktemp("photos")
    yield from loaded(own_database, "sample", MONDAY_AFTERNOON, photos)


# ---- ground --------------------------------------------------------------------------------------------


def test_codes_have_their_widths_and_extend_their_parents(city: Loaded) -> None:
    for code, level, parent in city.all("SELECT code, level, parent_code FROM area"):
        assert len(code) == CODE_WIDTHS[level] and code.startswith(parent or "9901")
    assert city.one("SELECT name FROM area WHERE code = '990101'") == "示范区"
    assert city.one("SELECT name FROM area WHERE code = '990101001'") == "临江街道"
    for code, community in city.all("SELECT code, community_code FROM cell WHERE kind = 'social'"):
        assert len(code) == CODE_WIDTHS["cell"] and code[:12] == community
    for table in ("building", "shop", "component", "household", "resident", "incident"):
        widths = city.all(f"SELECT DISTINCT length(territory) FROM {table}")
        assert widths == [(CODE_WIDTHS["cell"],)], table


def test_cells_cover_each_community_exactly_once(city: Loaded) -> None:
    """Valid as a coverage (shared borders equal vertex by vertex), and united they are the community."""
    rows = city.all("SELECT community_code, ST_AsBinary(geom) FROM cell WHERE kind = 'social'")
    communities = dict(city.all("SELECT code, ST_AsBinary(geom) FROM area WHERE level = 'community'"))
    cells = shapely.from_wkb([bytes(wkb) for _, wkb in rows])
    assert shapely.coverage_is_valid(shapely.get_parts(cells))
    owner = np.array([code for code, _ in rows])
    for code, wkb in communities.items():
        area = shapely.from_wkb(bytes(wkb))
        united = shapely.coverage_union_all(shapely.get_parts(cells[owner == code]))
        assert united.equals(area) and united.symmetric_difference(area).is_empty
    assert set(owner) == set(communities)


def test_unit_and_responsibility_cells_cover_the_city_too(city: Loaded) -> None:
    whole = shapely.from_wkb(bytes(city.one("SELECT ST_AsBinary(geom) FROM area WHERE level = 'city'")))
    for kind, least_ha, most_ha in (("unit", 0.3, 2.5), ("responsibility", 0.8, 12)):
        rows = city.all("SELECT area_m2, ST_AsBinary(geom) FROM cell WHERE kind = :kind", kind=kind)
        shapes = shapely.get_parts(shapely.from_wkb([bytes(wkb) for _, wkb in rows]))
        assert shapely.coverage_is_valid(shapes)
        assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)
        middle = np.median([area for area, _ in rows]) / 10_000
        assert least_ha < middle < most_ha
        assert min(area for area, _ in rows) > 500


def test_special_cells_lie_inside_one_social_cell_and_own_what_stands_in_them(city: Loaded) -> None:
    outside = city.one(
        """
        SELECT count(*) FROM cell AS s WHERE s.kind = 'special' AND NOT EXISTS (
            SELECT FROM cell AS c WHERE c.kind = 'social' AND c.code = s.territory
              AND ST_CoveredBy(s.geom, c.geom))
        """
    )
    assert outside == 0
    strangers = city.one(
        """
        SELECT count(*) FROM building AS b JOIN cell AS s ON s.kind = 'special' AND s.geom && b.geom
           AND ST_Intersects(s.geom, b.geom) WHERE b.cell_code <> s.code
        """
    )
    assert strangers == 0
    assert {k for (k,) in city.all("SELECT name FROM cell WHERE kind = 'special'")} >= {
        "校园网格",
        "公园网格",
    }


def test_routing_gives_every_building_shop_and_component_its_own_cell(city: Loaded) -> None:
    """The truth is stamped when a thing is built; the owner map is asked afterwards, from the geometry."""
    owners = owner_map.current(city.session)
    for table in ("building", "shop", "component"):
        rows = city.all(
            "SELECT cell_code, ST_X(p), ST_Y(p)"
            f" FROM (SELECT cell_code, ST_PointOnSurface(geom) AS p FROM {table}) AS t"
        )
        found = owners.covering(np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))
        assert [owners.codes[i] for i in found] == [r[0] for r in rows], table
    across = city.one(
        """
        SELECT count(*) FROM building AS b JOIN cell AS c ON c.code = b.territory AND c.kind = 'social'
        WHERE NOT ST_Covers(c.geom, b.geom)
        """
    )
    assert across == 0


def test_everything_stands_where_activation_would_stamp_it(city: Loaded) -> None:
    with city.session.begin_nested() as trial:
        stamped = activate_generation(city.session, "2026-1", by=None, now=city.now, force=True).stamped
        trial.rollback()
    assert not any(stamped.values()), stamped


# ---- people --------------------------------------------------------------------------------------------


def test_households_stand_behind_different_doors_of_their_building(city: Loaded) -> None:
    assert city.one("SELECT count(*) FROM household") == city.one(
        "SELECT sum(households_count) FROM building"
    )
    doubled = city.all("SELECT 1 FROM household GROUP BY building_id, unit, door HAVING count(*) > 1")
    assert not doubled
    too_high = (
        "SELECT 1 FROM household AS h JOIN building AS b ON b.id = h.building_id AND h.floor > b.floors"
    )
    assert not city.all(too_high)
    counted = city.all("SELECT code, households_count FROM cell WHERE kind = 'social' ORDER BY code")
    held = city.all("SELECT territory, count(*) FROM household GROUP BY territory ORDER BY territory")
    assert counted == held
    assert city.one("SELECT avg(residents_count)::float FROM household") == pytest.approx(2.6, abs=0.15)
    assert city.one("SELECT sum(residents_count) FROM household") == city.one("SELECT count(*) FROM resident")


def test_nobody_has_a_number_that_could_ring(city: Loaded) -> None:
    for table in ("resident", "member"):
        numbers = city.one(f"SELECT count(*) FROM {table} WHERE phone !~ '^100[0-9]{{8}}$'")
        assert numbers == 0


def test_every_cell_has_its_team_and_one_evening_has_a_hole(city: Loaded) -> None:
    posts = city.all("SELECT ground, post, count(*) FROM duty GROUP BY 1, 2")
    teams: dict[str, dict[str, int]] = {}
    for ground, post, count in posts:
        teams.setdefault(ground, {})[post] = count
    for (code,) in city.all("SELECT code FROM cell WHERE kind IN ('social', 'special')"):
        one_each = {"leader": 1, "member": 1, "police_officer": 1, "property_manager": 1}
        assert one_each.items() <= teams[code].items()
    shown = {post.post for post in team(city.session, city.summary.cell, at=city.now)}
    assert shown >= {"leader", "member", "police_officer", "property_manager", "building_head"}
    found = holes(city.session, city.now, city.now + timedelta(days=1), "9901", zone=ZONE)
    evening = city.now.replace(hour=20, minute=0)
    assert [(h.post, h.kind, h.starts_at, h.ends_at) for h in found] == [
        ("member", "away", evening, evening + timedelta(hours=4))
    ]
    standing_in = city.one("SELECT count(*) FROM leave WHERE status = 'approved' AND stand_in_id IS NOT NULL")
    assert standing_in >= 2


# ---- cases ---------------------------------------------------------------------------------------------


def test_today_lives(city: Loaded) -> None:
    found = city.counters()
    assert found.to_dispatch == 7 and found.overdue == 5 and found.due_soon == 10 and found.paused == 3
    assert 55 <= found.to_dispatch + found.handling <= 65
    assert found.new_today == 46 and found.new_yesterday_same_time == 41
    assert 27 <= found.closed_today <= 33
    assert 0.85 <= found.closed_today_in_time / found.closed_today <= 1
    assert found.unanswered == 0
    assert found.oldest_to_dispatch_minutes is not None and found.oldest_to_dispatch_minutes < 120
    assert city.counters(city.summary.subdistrict).handling >= 15


@pytest.mark.parametrize(
    "as_of",
    [
        datetime(2026, 10, 3, 2, 10, tzinfo=ZONE),  # deep in a night of the National Day holidays
        datetime(2026, 11, 23, 0, 9, tzinfo=ZONE),  # nine minutes into a Monday
    ],
    ids=["holiday night", "after midnight"],
)
def test_today_lives_at_any_hour(session: Session, as_of: datetime) -> None:
    load_demo(session, size="sample", seed=1, as_of=as_of, zone=ZONE)
    found = counters(session, by=OFFICER, now=as_of, zone=ZONE)
    assert (found.to_dispatch, found.overdue, found.due_soon, found.paused) == (7, 5, 10, 3)
    assert found.new_today == 46 and found.new_yesterday_same_time == 41
    assert 25 <= found.closed_today <= 33


def test_the_hero_has_a_handful_of_tasks_on_different_clocks(city: Loaded) -> None:
    member = Principal(7, "member", "网格员", "member", city.summary.cell, city.summary.member_id)
    tasks = list_incidents(
        city.session, Filter(mine="tasks", stages=("dispatched", "handling")), by=member, now=city.now
    ).rows
    assert 5 <= len(tasks) <= 8
    assert {task.clock for task in tasks} >= {"overdue", "due_soon", "in_time"}
    assert {task.cell_code for task in tasks} == {city.summary.cell}
    assert city.one("SELECT role FROM member WHERE id = :id", id=city.summary.leader_id) == "leader"
    department = "SELECT count(*) FROM incident WHERE department_code = :code AND closed_at IS NULL"
    assert city.one(department, code=city.summary.department) >= 3


def test_every_story_in_the_database_keeps_the_table_of_moves(city: Loaded) -> None:
    stories: dict[int, list[tuple]] = {}
    for row in city.all(
        "SELECT incident_id, move, from_stage, to_stage, role, at, version FROM incident_move ORDER BY id"
    ):
        stories.setdefault(row[0], []).append(row)
    cases = city.all("SELECT id, stage, version, reported_at, closed_at, paused_at FROM incident")
    assert len(stories) == len(cases)
    for case_id, stage, version, reported_at, closed_at, paused_at in cases:
        here, story = None, stories[case_id]
        for _, move, from_stage, to_stage, role, at, move_version in story:
            assert from_stage == here and here in (MOVES[move].from_stages or (None,))
            assert role in MOVES[move].roles or move_version == 1
            assert at <= city.now
            here = to_stage
        assert (here, story[-1][6]) == (stage, version)
        assert story[0][1] == "report" and story[0][5] == reported_at
        assert [row[5] for row in story] == sorted(row[5] for row in story)
        assert (stage in ENDED) == (closed_at is not None)
        assert (paused_at is not None) == any(row[1] in ("pause", "park") for row in story)


def test_clocks_belong_to_their_cases(city: Loaded) -> None:
    """At most one runs, none of an ended case, and the case shows the one that runs."""
    assert not city.all(
        "SELECT 1 FROM case_clock WHERE stopped_at IS NULL GROUP BY incident_id HAVING count(*) > 1"
    )
    wrong = city.one(
        """
        SELECT count(*) FROM incident AS i LEFT JOIN case_clock AS c
               ON c.incident_id = i.id AND c.stopped_at IS NULL
        WHERE CASE WHEN i.stage IN ('closed', 'rejected', 'void') THEN c.id IS NOT NULL
                   ELSE i.due_at IS DISTINCT FROM c.due_at END
        """
    )
    assert wrong == 0
    share = city.one("SELECT avg((finished_at <= due_at)::int)::float FROM incident WHERE stage = 'closed'")
    assert 0.88 <= share <= 0.99


def test_cases_well_inside_a_cell_were_routed_to_the_truth(city: Loaded) -> None:
    """Where the map is sure of the reported place, the cell found is the cell it happened in.

    `confidence` is the share of the fix's Gaussian within the owner's ground, so of the cases with at least
    0.9995 fewer than one in two thousand may have another truth.
    """
    rows = city.all(
        "SELECT i.cell_code = t.cell_code, i.confidence FROM incident AS i"
        " JOIN incident_truth AS t ON t.incident_id = i.id"
    )
    sure = [same for same, confidence in rows if confidence >= 0.9995]
    assert len(sure) > 150
    assert sum(not same for same in sure) <= 1
    assert 0.85 < np.mean([same for same, _ in rows]) < 1


def test_the_true_places_lie_in_their_true_cells(city: Loaded) -> None:
    owners = owner_map.current(city.session)
    rows = city.all(
        "SELECT t.cell_code, t.lon, t.lat FROM incident_truth AS t JOIN incident AS i ON i.id = t.incident_id"
    )
    found = owners.covering(np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))
    assert [owners.codes[i] for i in found] == [r[0] for r in rows]


def test_numbers_count_within_the_day_and_new_ones_go_on_after_them(city: Loaded) -> None:
    wrong = city.one(
        "SELECT count(*) FROM incident WHERE number !~ '^[0-9]{4}-[0-9]{4}-[0-9]{4}$' OR left(number, 9)"
        " <> to_char(reported_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MMDD')"
    )
    assert wrong == 0
    assert city.one("SELECT next_case_number('2026-11-23')") == "2026-1123-0047"


def test_a_wechat_place_is_declared_and_stored_by_its_own_datum(city: Loaded) -> None:
    """GCJ-02 lies some hundreds of metres off near 113.1 E, 23.0 N; what is stored is put right."""
    rows = city.all(
        """
        SELECT ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(source_lon, source_lat), 4490)::geography)
        FROM incident WHERE source_crs = 'GCJ-02'
        """
    )
    metres = np.array([row[0] for row in rows])
    assert len(metres) > 20 and (metres > 400).all() and (metres < 900).all()


def test_photographs_are_drawn_for_living_cases_and_lie_where_their_rows_say(city: Loaded) -> None:
    rows = city.all(
        "SELECT p.sha256, p.bytes, p.width, i.stage, p.kind, i.finished_at FROM incident_photo AS p"
        " JOIN incident AS i ON i.id = p.incident_id"
    )
    assert len(rows) >= 8
    for sha256, size, width, stage, kind, finished_at in rows:
        data = path_of(city.photos, sha256).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha256 and len(data) == size
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == "JPEG" and picture.width == width
        assert stage not in ENDED and (kind == "before" or finished_at is not None)


# ---- loading -------------------------------------------------------------------------------------------


def test_a_second_city_is_refused_and_changes_nothing(city: Loaded) -> None:
    assert not is_empty(city.session)
    before = city.one("SELECT count(*) FROM incident")
    with pytest.raises(Conflict, match="already holds a city"):
        load_demo(city.session, size="sample", seed=2, as_of=city.now, zone=ZONE)
    assert city.one("SELECT count(*) FROM incident") == before


def test_the_same_seed_and_moment_give_the_same_rows(city: Loaded, session: Session) -> None:
    """Another database, another transaction: the same rows, ids included."""
    assert is_empty(session)
    load_demo(session, size="sample", seed=1, as_of=MONDAY_AFTERNOON, zone=ZONE)
    for table in (*TABLES, "incident_move", "case_clock", "incident_truth"):
        rows = sa.text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t")
        assert session.execute(rows).scalar_one() == city.session.execute(rows).scalar_one(), table


def test_progress_is_told_from_start_to_end(city: Loaded) -> None:
    shares = [share for _, share in city.told]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    assert [what for what, _ in city.told if what != "town"] == [
        "ground", "base map", "buildings", "people", "cases", "writing cases", "done",
    ]  # fmt: skip


def test_the_default_city_has_the_promised_measure(own_database: Database, city: Loaded) -> None:
    """One district, 3 subdistricts, 12 communities and about 80 cells, at night and on a weekend."""
    city.session.rollback()
    as_of = datetime(2026, 11, 21, 22, 47, tzinfo=ZONE)
    for whole in loaded(own_database, "subdistrict", as_of, city.photos):
        counts = whole.summary.counts
        levels = dict(whole.all("SELECT level, count(*) FROM area GROUP BY level"))
        assert levels == {"city": 1, "district": 1, "subdistrict": 3, "community": 12}
        cells = [n for (n,) in whole.all("SELECT households_count FROM cell WHERE kind = 'social'")]
        assert 70 <= len(cells) <= 95
        assert np.mean([300 <= n <= 500 for n in cells]) >= 0.95
        assert 26_000 <= counts["household"] <= 34_000
        assert 2_000 <= counts["building"] <= 3_000
        assert 2_500 <= counts["shop"] <= 3_500
        assert 5_500 <= counts["incident"] <= 8_000
        found = whole.counters()
        assert (found.to_dispatch, found.overdue, found.due_soon, found.paused) == (7, 5, 10, 3)
        assert found.new_today == 46 and found.new_yesterday_same_time == 41
        days = whole.one(
            "SELECT count(DISTINCT (reported_at AT TIME ZONE 'Asia/Shanghai')::date) FROM incident"
        )
        assert days == 90
        (strip, *_) = disputed_strips(whole.session, as_of - timedelta(days=90), now=as_of)
        assert strip.advised and strip.prevented >= 0.8 * len(strip.incidents), "one border is disputed"
