"""What cannot be read is refused as a whole, with the remedy; other files give their rows as they are."""

from __future__ import annotations

import zipfile

import pytest
import shapely

from etl.sources import open_source
from gis.errors import Invalid
from tests import made_files

SQUARE = shapely.box(113.1, 23.0, 113.101, 23.001)
HEADER = ["编号", "名称"]


def rows(path, **how):
    """Every row of a file as (number, values), in file order."""
    with open_source(path, **how) as source:
        return [
            (batch.first + i, [column[i] for column in batch.columns.values()])
            for batch in source.batches()
            for i in range(batch.size)
        ]


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp", ".fgb"])
def test_vector_formats_give_columns_geometry_and_their_system(tmp_path, ending):
    path = made_files.vector(tmp_path / f"a{ending}", [SQUARE], {"名称": ["临江"], "层数": [6]})
    with open_source(path) as source:
        assert (source.headers, source.crs, source.drawn) == (["名称", "层数"], "EPSG:4490", True)
        (batch,) = source.batches()
        assert batch.columns == {"名称": ["临江"], "层数": [6]}
        assert batch.geometry[0].equals(SQUARE)


def test_only_the_headers_asked_for_are_read(tmp_path):
    path = made_files.vector(tmp_path / "a.gpkg", [SQUARE], {"名称": ["临江"], "层数": [6]})
    with open_source(path) as source:
        (batch,) = source.batches(["层数"])
    assert batch.columns == {"层数": [6]}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_of_any_common_delimiter(tmp_path, delimiter):
    path = made_files.table(tmp_path / "a.csv", [HEADER, ["1", "临江"]], delimiter=delimiter)
    assert rows(path) == [(1, ["1", "临江"])]


def test_csv_with_a_byte_order_mark_keeps_its_first_header(tmp_path):
    path = made_files.table(tmp_path / "a.csv", [HEADER, ["1", "临江"]], encoding="utf-8-sig")
    with open_source(path) as source:
        assert source.headers == HEADER


def test_csv_in_gb18030_is_read_and_said_so(tmp_path):
    path = made_files.table(tmp_path / "a.csv", [HEADER, ["1", "临江街道"]], encoding="gb18030")
    with open_source(path) as source:
        assert source.headers == HEADER
        assert any("GB18030" in english for _, english in source.remarks)


def test_a_row_with_more_values_than_the_header_is_marked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n1,2,3\n1\n")
    with open_source(path) as source:
        (batch,) = source.batches()
    assert batch.shifted == {2}
    assert batch.columns["b"] == ["2", "2", None]


def test_rows_are_numbered_across_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("etl.tables.BATCH_ROWS", 2)
    path = made_files.table(tmp_path / "a.csv", [["n"], *[[str(n)] for n in range(1, 6)]])
    assert rows(path) == [(n, [str(n)]) for n in range(1, 6)]


def test_xlsx_blank_rows_are_passed_over_and_numbers_stay_numbers(tmp_path):
    path = made_files.workbook(
        tmp_path / "a.xlsx", {"住户": [HEADER, [1, "临江"], [None, None], [2, "石桥"]]}
    )
    assert rows(path) == [(1, [1, "临江"]), (2, [2, "石桥"])]


def test_xlsx_with_several_sheets_reads_the_first_and_says_so(tmp_path):
    path = made_files.workbook(tmp_path / "a.xlsx", {"甲": [HEADER, [1, "a"]], "乙": [HEADER, [2, "b"]]})
    with open_source(path) as source:
        assert any("甲" in english for _, english in source.remarks)
    assert rows(path, layer="乙") == [(1, [2, "b"])]
    with pytest.raises(Invalid, match="甲, 乙"):
        rows(path, layer="丙")


def test_a_zipped_shapefile_is_read_with_its_encoding(tmp_path):
    made_files.vector(tmp_path / "街道.shp", [SQUARE], {"名称": ["临江街道"]}, encoding="GBK")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in tmp_path.glob("街道.*"):
            archive.write(part, f"数据/{part.name}")
    assert rows(tmp_path / "a.zip") == [(1, ["临江街道"])]


def test_a_zip_with_two_datasets_asks_which(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("甲", "乙"):
            archive.writestr(f"{name}.csv", f"名称\n{name}\n")
    with pytest.raises(Invalid) as refusal:
        rows(tmp_path / "a.zip")
    assert sorted(refusal.value.details["layers"]) == ["乙", "甲"]
    assert rows(tmp_path / "a.zip", layer="乙") == [(1, ["乙"])]


def test_a_zip_that_is_none_or_holds_nothing_is_refused(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    with pytest.raises(Invalid, match="cannot be read"):
        rows(tmp_path / "broken.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.pdf", b"%PDF")
    with pytest.raises(Invalid, match="0 readable files"):
        rows(tmp_path / "other.zip")


def test_several_layers_must_be_named(tmp_path):
    path = tmp_path / "a.gpkg"
    for layer in ("甲", "乙"):
        _layer(path, layer)
    with pytest.raises(Invalid) as refusal:
        rows(path)
    assert refusal.value.details["layers"] == ["甲", "乙"]
    assert rows(path, layer="乙") == [(1, ["乙"])]


def _layer(path, layer):
    import numpy as np
    from pyogrio.raw import write

    write(
        path, shapely.to_wkb([SQUARE]), [np.array([layer], object)], ["名称"], layer=layer,
        geometry_type="Polygon", crs="EPSG:4490", append=path.exists(),
    )  # fmt: skip


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".geojson", ".shp", ".gpkg", ".zip"])
def test_a_file_of_zero_bytes_is_refused(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.touch()
    with pytest.raises(Invalid, match="0 bytes"):
        rows(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Invalid, match="There is no file"):
        rows(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.geojson", b'{"type":"FeatureCollection","features":['),
        ("a.shp", b"this is no shapefile"),
        ("a.gpkg", b"SQLite format 3\x00 but not really"),
        ("a.xlsx", b"this is no workbook"),
    ],
)
def test_broken_files_are_refused_with_the_remedy(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Invalid, match="cannot be read") as refusal:
        rows(path)
    assert refusal.value.remedy_zh


@pytest.mark.parametrize("content", ["名称,层数\n", "名称,层数"])
def test_a_header_without_rows_is_refused(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(Invalid, match="no rows"):
        rows(tmp_path / "a.csv")


def test_a_layer_without_features_is_refused(tmp_path):
    (tmp_path / "a.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    with pytest.raises(Invalid, match="no rows"):
        rows(tmp_path / "a.geojson")


def test_a_header_that_names_a_column_twice_is_refused(tmp_path):
    made_files.table(tmp_path / "a.csv", [["名称", "名称"], ["a", "b"]])
    with pytest.raises(Invalid, match="twice"):
        rows(tmp_path / "a.csv")


def test_ten_megabytes_in_one_value_are_refused(tmp_path):
    made_files.table(tmp_path / "a.csv", [["名称"], ["x" * 10_000_000]])
    with pytest.raises(Invalid, match="field larger"):
        rows(tmp_path / "a.csv")


def test_the_old_excel_format_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(Invalid, match="old Excel") as refusal:
        rows(tmp_path / "a.xls")
    assert ".xlsx" in refusal.value.remedy_en
