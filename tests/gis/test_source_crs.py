"""Files may be in any system PROJ can relate to WGS 84; what it could only guess is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gis import crs
from gis.errors import Invalid

ESRI_CGCS2000 = (
    'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("epsg:4326", "EPSG:4326"),
        ("gcj02", "GCJ-02"),
        ("EPSG:2249", "EPSG:2249"),
        ("EPSG:3857", "EPSG:3857"),
        (ESRI_CGCS2000, "EPSG:4490"),
    ],
)
def test_systems_of_files_have_one_spelling(declared, name):
    assert crs.source_system(declared) == name


@pytest.mark.parametrize("declared", ["EPSG:4610", "EPSG:2362", 'LOCAL_CS["site"]'])
def test_a_datum_whose_shift_nobody_published_is_refused(declared):
    """Xi'an 1980, as degrees and as a Gauss-Kruger zone: PROJ would call the distance zero."""
    with pytest.raises(Invalid, match="No exact way") as refusal:
        crs.source_system(declared)
    assert "+towgs84" in refusal.value.remedy_en


def test_the_surveying_offices_parameters_make_it_known():
    """The first axis points to longitude 0, which from a point on the equator at 90 E is due west: a shift
    of 100 m along it moves that point 100 m to the west."""
    shifted = "+proj=longlat +a=6378140 +b=6356755.288157528 +towgs84=100,0,0 +type=crs"
    lon, lat = crs.source_to_stored(90.0, 0.0, shifted)
    metres = (float(lon) - 90.0) * 111_319.5
    assert metres == pytest.approx(-100.0, abs=0.1)
    assert abs(float(lat)) < 1e-9


def test_hong_kong_goes_by_its_published_shift_and_not_by_a_ballpark():
    """The origin of Hong Kong's grid is 22 18 43.68 N, 114 10 42.80 E in its own datum. Its Survey Office
    tells that WGS 84 latitudes are 5.5 seconds less and longitudes 8.8 seconds more; a ballpark would give
    back the datum's own numbers, some 300 m off."""
    lon, lat = crs.source_to_stored(836694.05, 819069.80, "EPSG:2326")
    assert float(lat) == pytest.approx(22 + 18 / 60 + 43.68 / 3600 - 5.5 / 3600, abs=0.1 / 3600)
    assert float(lon) == pytest.approx(114 + 10 / 60 + 42.80 / 3600 + 8.8 / 3600, abs=0.1 / 3600)


def test_reports_may_not_use_what_files_may():
    with pytest.raises(Invalid):
        crs.to_stored(0.0, 0.0, "EPSG:2249")


def test_arrays_keep_their_shape_and_what_is_no_number_stays_none():
    lon, lat = crs.source_to_stored(np.array([775_000.0, np.nan]), np.array([2_955_000.0, 1.0]), "EPSG:2249")
    assert lon.shape == lat.shape == (2,)
    assert np.isfinite([lon[0], lat[0]]).all()
    assert not np.isfinite(lon[1])
