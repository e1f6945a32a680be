"""The guard of declared systems: mix-ups named and measured through outliers and noise, or left open."""

import numpy as np
import pytest

from gis import crs, crs_guard
from gis.errors import Invalid

LON, LAT = 113.1, 23.0
ZONE = crs.metric_crs(LON)
X0, Y0 = crs.to_metres(LON, LAT, zone=ZONE)


def degrees(points):
    return crs.from_metres(points[:, 0] + X0, points[:, 1] + Y0, zone=ZONE)


def estate(rng, houses=1500, side=1600.0):
    """Houses in irregular rows over a square of `side` metres: shape (houses, 2)."""
    rows = rng.integers(0, 40, houses) * (side / 40) + rng.normal(0, 3, houses)
    return np.column_stack([rng.uniform(0, side, houses), rows])


def addresses(rng, houses, count=500, noise=10.0, outliers=0.2):
    """Addresses at houses, `noise` metres off, a share of them anywhere in the square: (true, house)."""
    chosen = houses[rng.choice(len(houses), count, replace=False)]
    points = chosen + rng.normal(0, noise, chosen.shape)
    wild = rng.random(count) < outliers
    points[wild] = rng.uniform(0, 1600, (wild.sum(), 2))
    return points, chosen


WRITE = {
    "EPSG:4490": lambda lon, lat: (lon, lat),
    "GCJ-02": crs.wgs84_to_gcj02,
    "BD-09": lambda lon, lat: crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(lon, lat)),
}
"""How numbers of each system come about."""


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("declared", ["EPSG:4326", "GCJ-02", "BD-09"])
@pytest.mark.parametrize("written", WRITE)
def test_a_mix_up_is_named_with_its_offset(written, declared, paired):
    rng = np.random.default_rng(3)
    houses = estate(rng)
    points, theirs = addresses(rng, houses)
    raw = WRITE[written](*degrees(points))
    verdict = crs_guard.check(*raw, declared, *degrees(theirs if paired else houses), paired=paired)
    assert verdict.found == written
    assert verdict.agrees == (written == declared.replace("4326", "4490"))
    as_declared = np.column_stack(crs.to_metres(*crs.to_stored(*raw, declared), zone=ZONE)) - (X0, Y0)
    true_offset = np.median(as_declared - points, axis=0)
    assert np.hypot(*(verdict.offset_m - true_offset)) < 5.0
    assert verdict.residual_m < 20.0
    assert verdict.vectors.shape[1] == 4 and len(verdict.vectors) >= 350


def test_five_hundred_addresses_in_gcj02_declared_wgs84():
    """At Foshan the shift is 629 m (a published figure): the offset found is within 5 m of it."""
    rng = np.random.default_rng(11)
    houses = estate(rng)
    points, _ = addresses(rng, houses)
    raw = crs.wgs84_to_gcj02(*degrees(points))
    verdict = crs_guard.check(*raw, "EPSG:4326", *degrees(houses))
    assert verdict.found == "GCJ-02" and verdict.agrees is False
    assert np.hypot(*verdict.offset_m) == pytest.approx(629, abs=8)
    assert "GCJ-02" in verdict.words[0] and "GCJ-02" in verdict.words[1]
    refusal = crs_guard.refusal(verdict)
    assert isinstance(refusal, Invalid) and "GCJ-02" in refusal.remedy_en and "GCJ-02" in refusal.remedy_zh


def test_gcj02_degrees_that_somebody_projected_are_seen_as_well():
    rng = np.random.default_rng(5)
    houses = estate(rng)
    points, _ = addresses(rng, houses)
    x, y = crs.to_metres(*crs.wgs84_to_gcj02(*degrees(points)), zone="EPSG:4547")
    assert crs_guard.check(x, y, "EPSG:4547", *degrees(houses)).found == "GCJ-02"


@pytest.mark.parametrize("seed", range(8))
def test_points_that_have_nothing_to_do_with_the_houses_are_not_guessed_at(seed):
    rng = np.random.default_rng(seed)
    verdict = crs_guard.check(*degrees(rng.uniform(0, 1600, (500, 2))), "EPSG:4326", *degrees(estate(rng)))
    assert verdict.found is None and verdict.agrees is None and verdict.offset_m is None
    assert "不足" in verdict.words[0]


@pytest.mark.parametrize("count", [0, 1, 19])
def test_a_handful_of_points_is_no_evidence(count):
    rng = np.random.default_rng(1)
    houses = estate(rng)
    verdict = crs_guard.check(*degrees(houses[:count]), "EPSG:4326", *degrees(houses))
    assert verdict.found is None and verdict.points == count


def test_houses_elsewhere_are_no_evidence():
    rng = np.random.default_rng(1)
    houses = estate(rng)
    verdict = crs_guard.check(*degrees(houses[:300] + 50_000.0), "EPSG:4326", *degrees(houses))
    assert verdict.found is None


def test_points_that_are_not_finite_are_passed_over():
    rng = np.random.default_rng(2)
    houses = estate(rng)
    lon, lat = degrees(addresses(rng, houses)[0])
    lon[::7] = np.nan
    assert crs_guard.check(lon, lat, "EPSG:4490", *degrees(houses)).agrees is True


def test_an_undeclared_system_is_refused():
    with pytest.raises(Invalid):
        crs_guard.check([1.0], [1.0], "", [1.0], [1.0])
