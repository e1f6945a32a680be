"""Photographs made anew: upright, small, without anything but their picture; kept once, and safely."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from incidents import photos
from incidents.photos import MAX_SIDE, NotAPhoto, PhotoTooLarge, path_of, prepare, write_file

SHANGHAI = ZoneInfo("Asia/Shanghai")
EAST_8 = timezone(timedelta(hours=8))


def picture(form="JPEG", size=(400, 300), mode="RGB", **exif_values):
    """A picture whose left half is red and right half blue, with the EXIF given."""
    image = Image.new(mode, size, "red")
    image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    exif = Image.Exif()
    if "orientation" in exif_values:
        exif[ExifTags.Base.Orientation] = exif_values["orientation"]
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    for name in ("DateTimeOriginal", "OffsetTimeOriginal"):
        if name in exif_values:
            inner[ExifTags.Base[name]] = exif_values[name]
    if "place" in exif_values:
        lat_ref, lat, lon_ref, lon = exif_values["place"]
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps.update({1: lat_ref, 2: lat, 3: lon_ref, 4: lon})
    buffer = io.BytesIO()
    image.save(buffer, form, exif=exif)
    return buffer.getvalue()


def opened(prepared):
    return Image.open(io.BytesIO(prepared.jpeg))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "GIF", "BMP"])
def test_every_format_of_a_phone_becomes_a_jpeg(form):
    prepared = prepare(picture(form), SHANGHAI)
    image = opened(prepared)
    assert (image.format, image.size) == ("JPEG", (400, 300))
    assert (prepared.width, prepared.height) == (400, 300)
    red, _, blue = image.getpixel((50, 150))
    assert red > 200 > 100 > blue


def test_nothing_of_the_original_but_its_picture_is_kept():
    sent = picture(DateTimeOriginal="2026:11:23 10:00:00", place=("N", (23, 0, 3.6), "E", (113, 6, 0)))
    assert len(dict(Image.open(io.BytesIO(sent)).getexif())) > 0
    image = opened(prepare(sent, SHANGHAI))
    assert not dict(image.getexif())
    assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)


@pytest.mark.parametrize(
    ("values", "taken_at"),
    [
        ({"DateTimeOriginal": "2026:11:23 10:00:00"}, datetime(2026, 11, 23, 10, tzinfo=EAST_8)),
        (
            {"DateTimeOriginal": "2026:11:23 10:00:00", "OffsetTimeOriginal": "+00:00"},
            datetime(2026, 11, 23, 10, tzinfo=UTC),
        ),
        ({"DateTimeOriginal": "0000:00:00 00:00:00"}, None),
        ({"DateTimeOriginal": "yesterday"}, None),
        ({}, None),
    ],
)
def test_when_it_was_taken(values, taken_at):
    """A camera's time without an offset is the city's own."""
    assert prepare(picture(**values), SHANGHAI).taken_at == taken_at


@pytest.mark.parametrize(
    ("place", "lon_lat"),
    [
        # 23 + 0/60 + 3.6/3600 = 23.001; 113 + 6/60 = 113.1
        (("N", (23.0, 0.0, 3.6), "E", (113.0, 6.0, 0.0)), (113.1, 23.001)),
        (("S", (23.0, 0.0, 3.6), "W", (113.0, 6.0, 0.0)), (-113.1, -23.001)),
        (("N", (230.0, 0.0, 0.0), "E", (113.0, 6.0, 0.0)), (None, None)),
    ],
)
def test_where_it_was_taken(place, lon_lat):
    prepared = prepare(picture(place=place), SHANGHAI)
    assert (prepared.taken_lon, prepared.taken_lat) == (
        pytest.approx(lon_lat) if lon_lat[0] is not None else lon_lat
    )


def test_a_picture_held_sideways_is_turned_upright():
    """Orientation 6: the camera's top is on the right, so left-red comes to the top."""
    image = opened(prepare(picture(orientation=6), SHANGHAI))
    assert image.size == (300, 400)
    assert image.getpixel((150, 50))[0] > 200 and image.getpixel((150, 350))[2] > 200


def test_what_is_see_through_becomes_white():
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(buffer, "PNG")
    assert opened(prepare(buffer.getvalue(), SHANGHAI)).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000), (9000, 100)])
def test_a_large_picture_is_made_smaller_in_its_proportions(size):
    prepared = prepare(picture(size=size), SHANGHAI)
    assert max(prepared.width, prepared.height) == MAX_SIDE
    assert prepared.width / prepared.height == pytest.approx(size[0] / size[1], rel=0.02)


def test_the_same_file_always_gives_the_same_photograph():
    assert prepare(picture(), SHANGHAI) == prepare(picture(), SHANGHAI)


def test_too_many_bytes_and_too_many_pixels_are_refused(monkeypatch):
    with pytest.raises(PhotoTooLarge):
        prepare(picture(size=(10_000, 6_001), form="PNG"), SHANGHAI)
    monkeypatch.setattr(photos, "MAX_BYTES", 100)
    with pytest.raises(PhotoTooLarge):
        prepare(picture(), SHANGHAI)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_picture_are_refused_calmly(data):
    with pytest.raises(NotAPhoto):
        prepare(data, SHANGHAI)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "GIF"])
def test_a_damaged_picture_is_a_photograph_or_refused_never_a_fault(form):
    whole = picture(form)
    throws = random.Random(7)
    for _ in range(60):
        data = bytearray(whole[: throws.randrange(1, len(whole) + 1)])
        for _ in range(throws.randrange(4)):
            data[throws.randrange(len(data))] = throws.randrange(256)
        try:
            assert opened(prepare(bytes(data), SHANGHAI)).format == "JPEG"
        except (NotAPhoto, PhotoTooLarge) as refusal:
            assert refusal.remedy_zh and refusal.remedy_en


def test_a_file_is_written_whole_under_its_hash_and_once(tmp_path):
    prepared = prepare(picture(), SHANGHAI)
    path = write_file(tmp_path, prepared)
    assert path == path_of(tmp_path, prepared.sha256)
    assert path.read_bytes() == prepared.jpeg
    written = path.stat().st_mtime_ns
    write_file(tmp_path, prepared)
    assert path.stat().st_mtime_ns == written
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [path.name]
