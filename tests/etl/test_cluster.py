"""Two worker processes decide what one process decides, point by point, from a file they share."""

from __future__ import annotations

import numpy as np
import pytest

from etl import routing
from etl.cluster import PART, cluster
from etl.loading import FileRequest
from etl.routed_file import route_file
from gis.errors import Unavailable
from grids import owner_map
from grids.owner_map import OwnerMap
from tests import made_files
from tests.etl.conftest import SHANGHAI, WHEN
from tests.etl.test_routing import overlaid, places  # noqa: F401 - a fixture
from tests.toy_city import NOW

distributed = pytest.importorskip("distributed", reason="Dask is an extra: pip install citygrid[cluster]")


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """The decisions of two processes of this machine."""
    with cluster("local:2", tmp_path_factory.mktemp("shared")) as decide:
        yield decide


def test_two_workers_answer_what_one_process_answers(session, overlaid, workers):  # noqa: F811
    lon, lat, accuracy = places(2 * PART + 7)
    given = {"at": NOW, "zone": SHANGHAI}
    alone = routing.route(session, lon, lat, accuracy, **given)
    assert routing.route(session, lon, lat, accuracy, decide=workers, **given) == alone
    assert {answer.rule for answer in alone} >= {"building", "special", "exception", "near", "refused"}


def test_a_file_goes_through_a_cluster_unchanged(session, overlaid, workers, tmp_path):  # noqa: F811
    lon, lat, _ = places(300)
    rows = [["lon", "lat"], *zip(lon.tolist(), lat.tolist(), strict=True), ["far", "away"]]
    request = routing_request(made_files.table(tmp_path / "p.csv", rows))
    outs = {}
    for name, decide in (("one", routing.decide_here), ("two", workers)):
        out = tmp_path / f"{name}.csv"
        result = route_file(session, request, out, WHEN, at=NOW, language="zh", decide=decide)
        assert result.rows == 301
        outs[name] = out.read_bytes()
    assert outs["one"] == outs["two"]


def routing_request(path):
    return FileRequest(path, "EPSG:4490", headers={"lon": "lon", "lat": "lat"})


def test_a_saved_map_is_opened_with_its_indexes_as_files(session, overlaid, tmp_path):  # noqa: F811
    city = owner_map.current(session)
    city.save(tmp_path)
    opened = OwnerMap.open(tmp_path)
    lon, lat, _ = places(2_000)
    assert np.array_equal(opened.covering(lon, lat), city.covering(lon, lat))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map", "social.index", "special.index"]


def test_nobody_at_an_address_is_told_in_both_languages(tmp_path, monkeypatch):
    monkeypatch.setattr("etl.cluster.PATIENCE_S", 0.2)
    with pytest.raises(Unavailable) as told, cluster("tcp://127.0.0.1:9", tmp_path):
        pass
    assert "dask scheduler" in told.value.remedy_en and "调度器" in told.value.message_zh


def test_a_folder_that_the_workers_do_not_see_is_told(tmp_path):
    """A worker of another machine, played by one that has its own idea of what a folder is."""
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as here,
        distributed.Client(here) as client,
    ):
        client.run(blindfold)
        with pytest.raises(Unavailable) as told, cluster(here.scheduler_address, tmp_path):
            pass
    assert "--shared" in told.value.remedy_en


def blindfold():
    """Make every folder invisible to the process this runs in."""
    import pathlib

    pathlib.Path.is_dir = lambda self: False
