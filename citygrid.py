"""The analysts' front door: a city in a notebook, with the answers every other face gives.

    import citygrid as cg
    city = cg.connect()
    city.layer("cells")                        # a GeoDataFrame in EPSG:4490
    city.route(frame, crs="EPSG:4326")         # who answers for each row
    city.responsible(113.1, 23.0)              # for one place, with the reason
    city.what_if("2027")                       # who would have got the last month's cases
    city.indicators(by="cell")                 # rates with their numerators and denominators
    city.map("cells", "incidents")             # a map that needs no network

One is signed in as an analyst: the fields of staff, nothing personal, names and phones masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from etl.cluster import cluster as workers_of
from etl.exports import Box, read_layer
from etl.notebook_map import offline_map
from etl.routed_file import APPENDED
from etl.routing import REFUSED, Decide, Routed, Routing, decide_here
from etl.trial_files import trial_of
from etl.what_if import WhatIf, what_if
from gis.access import Principal
from gis.cluster import database_url
from gis.database import Database
from gis.masking import mask_name, mask_phone
from gis.settings import Settings
from grids import owner_map
from grids.receivers import Person
from grids.responsibility import Responsibility, responsible_for
from incidents.evaluation import Scope
from incidents.evaluation_report import Report, evaluation_report
from incidents.indicators import INDICATORS, Ratio, indicator_named
from incidents.locating import locate
from incidents.windows import named_window, window_between
from layers.catalog import drawable_layer

__all__ = ["City", "connect"]


def connect(url: str | None = None) -> City:
    """The city of `url`, else of `CITYGRID_DATABASE_URL`, else of the private cluster, started when down."""
    settings = Settings.load()
    return City(Database(url or database_url(settings)), settings)


class City:
    """One city. Every call is a transaction of its own and sees the city as it is at that moment."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.principal = Principal(0, "notebook", "分析员", "analyst", "")

    def layer(self, name: str, *, bbox: Box | None = None, territory: str | None = None) -> gpd.GeoDataFrame:
        """A layer's features with the fields an analyst may read, in EPSG:4490.

        `bbox` is west, south, east, north in degrees; `territory` a code. Raises NotFound for an unknown
        layer and Denied for one about people.
        """
        layer = drawable_layer(name)
        with self.database.unit_of_work(self.principal) as session:
            return read_layer(session, layer, self.principal, bbox=bbox, territory=territory)

    def route(
        self,
        frame: pd.DataFrame,
        *,
        crs: str | None = None,
        lon: str = "lon",
        lat: str = "lat",
        accuracy: str | None = None,
        at: datetime | None = None,
        generation: str | None = None,
        cluster: str | None = None,
        shared: str | Path | None = None,
    ) -> pd.DataFrame:
        """The frame with who answers for each row behind it; the index and every row stay.

        A GeoDataFrame brings its points and its system; another frame has the columns `lon` and `lat` and
        declares `crs`. `accuracy` names a column of metres. The moment is `at`, else now. An answer that is
        called like a column of the frame stands as NAME_answer. `cluster` is the address of a Dask scheduler
        or local:N; its workers must all see the folder `shared`.
        """
        if isinstance(frame, gpd.GeoDataFrame):
            points = frame.geometry.to_numpy()
            crs = crs or (frame.crs.to_string() if frame.crs else None)
        else:
            points = _points(frame[lon], frame[lat])
        accuracies = [None] * len(frame) if accuracy is None else _numbers(frame[accuracy])
        zone, moment = self.settings.zone, at or datetime.now(UTC)
        with self._deciding(cluster, shared) as decide, self.database.unit_of_work(self.principal) as session:
            ground = owner_map.current(session, generation)
            routing = Routing(session, ground, at=moment, zone=zone, decide=decide)
            found = routing.begin_raw(points, crs, accuracies)()
        appended = _appended(found, frame.index)
        return frame.join(
            appended.rename(columns={c: f"{c}_answer" for c in frame.columns.intersection(APPENDED)})
        )

    def _deciding(self, cluster: str | None, shared: str | Path | None) -> AbstractContextManager[Decide]:
        """Who decides: this process, or the workers of a cluster."""
        if cluster is None:
            return nullcontext(decide_here)
        return workers_of(cluster, Path(shared) if shared else self.settings.home / "ground")

    def responsible(
        self,
        lon: float,
        lat: float,
        *,
        crs: str = "EPSG:4490",
        accuracy_m: float | None = None,
        category: str | None = None,
        at: datetime | None = None,
    ) -> Responsibility:
        """Who answers for a place, by which rule, how sure, and each step of the way; people are masked."""
        fix = locate(lon, lat, crs, accuracy_m=accuracy_m)
        with self.database.unit_of_work(self.principal) as session:
            answer = responsible_for(
                session, fix, at=at or datetime.now(UTC), category=category, zone=self.settings.zone
            )
        return replace(
            answer,
            member=_masked(answer.member),
            handler=_masked(answer.handler),
            building_head=_masked(answer.building_head),
            second_member=_masked(answer.second_member),
        )

    def what_if(
        self,
        generation: str | None = None,
        *,
        cells: gpd.GeoDataFrame | None = None,
        exceptions: gpd.GeoDataFrame | None = None,
        days: int = 30,
        territory: str = "",
        at: datetime | None = None,
    ) -> WhatIf:
        """Who would have got the incidents of the last days, were another drawing in force.

        On trial is a loaded `generation`, or the active one with other shapes of some `cells` (column code)
        and more `exceptions` (columns cell_code, and optionally buffer_m and priority). The answer's `cells`,
        `members` and `moved` make frames: `pd.DataFrame(answer.cells)`.
        """
        now = at or datetime.now(UTC)
        trial = trial_of(generation, cells, exceptions)
        with self.database.unit_of_work(self.principal) as session:
            return what_if(
                session,
                trial,
                since=now - timedelta(days=days),
                now=now,
                zone=self.settings.zone,
                territory=territory,
            )

    def indicators(
        self,
        *ids: str,
        by: str | None = None,
        window: str | tuple[datetime, datetime] = "30d",
        territory: str | None = None,
        at: datetime | None = None,
    ) -> pd.DataFrame:
        """The numbers of the evaluation: a row a group and indicator, with both counts of three spans.

        `ids` are indicators, all of them if none is named; `by` is a grouping (cell, community, department
        ...), `window` a name (7d, 30d, 90d, month, last_month) or a pair of moments. A rate over an empty
        denominator is NaN. `previous_` and `year_before_` are 环比 and 同比.
        """
        now, zone = at or datetime.now(UTC), self.settings.zone
        span = named_window(window, now, zone) if isinstance(window, str) else window_between(*window, zone)
        with self.database.unit_of_work(self.principal) as session:
            report = evaluation_report(
                session,
                span,
                by=self.principal,
                now=now,
                zone=zone,
                scope=Scope(territory=territory),
                group=by,
                indicators=[indicator_named(id_) for id_ in ids] or list(INDICATORS.values()),
            )
        return _indicator_frame(report)

    def map(self, *names: str, bbox: Box | None = None, territory: str | None = None) -> folium.Map:
        """A map of layers, the first beneath. It holds everything it needs: `save` it and send it."""
        wanted = names or ("land", "water", "roads", "cells")
        return offline_map({name: self.layer(name, bbox=bbox, territory=territory) for name in wanted})


def _indicator_frame(report: Report) -> pd.DataFrame:
    """A row a group and indicator; without a grouping the whole is the only group."""
    rows: list[list[object]] = []
    for line in report.lines if report.group else [report.total]:
        for one in report.indicators:
            row: list[object] = [line.code, line.zh, one.id, one.zh]
            for numbers in (line.now, line.previous, line.year_before):
                ratio = numbers.get(one.id, Ratio())
                row += [ratio.numerator, ratio.denominator, np.nan if ratio.value is None else ratio.value]
            rows.append(row)
    figures = [p + n for p in ("", "previous_", "year_before_") for n in ("numerator", "denominator", "rate")]
    return pd.DataFrame(rows, columns=["code", "name", "indicator", "title", *figures])


def _points(lon: Any, lat: Any) -> np.ndarray:
    x, y = (pd.to_numeric(values, errors="coerce").to_numpy(float) for values in (lon, lat))
    points = np.full(len(x), None, object)
    there = np.isfinite(x) & np.isfinite(y)
    points[there] = shapely.points(x[there], y[there])
    return points


def _numbers(values: Any) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in pd.to_numeric(values, errors="coerce")]


def _appended(found: Sequence[Routed], index: pd.Index) -> pd.DataFrame:
    """The columns `citygrid route` writes, in a frame."""
    rows = [
        (
            answer.cell, answer.member_id, answer.cell_source, answer.rule,
            None if answer.rule == REFUSED else answer.confidence, answer.border_m, answer.second_cell,
            answer.second_member_id, answer.reason_zh,
        )
        for answer in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(APPENDED), index=index)


def _masked(person: Person | None) -> Person | None:
    if person is None:
        return None
    return replace(person, name=mask_name(person.name), phone=mask_phone(person.phone))
