"""Photographs of a case: what arrives is looked at, made anew as a plain JPEG, and kept by its hash.

Nothing of the sent file survives but its picture: re-encoding drops EXIF, colour profiles, thumbnails and
whatever else hides in an image. When and where it was taken is read first and kept in columns. A file is on
disk, flushed, before the row that names it is committed; a file whose transaction fails is harmless, because
nothing names it and the next photograph with that hash is the same picture.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pillow_heif
import sqlalchemy as sa
from PIL import ExifTags, Image, ImageOps
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.access import Principal
from gis.errors import Conflict, Denied, Invalid, NotFound
from incidents.incident import IncidentMove, IncidentPhoto
from incidents.queries import Filter, PhotoRow, count_incidents, no_incident

MAX_BYTES = 25_000_000
MAX_PIXELS = 60_000_000
"""More than any phone of the grid force takes; a "pixel bomb" of a few kB unfolds to far more."""
MAX_SIDE = 2560
MAX_PHOTOS = 9
QUALITY = 85
KINDS = ("before", "after")
CONTENT_TYPE = "image/jpeg"

# Only these decoders are ever started; Pillow knows dozens, some of which run other programs.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF")
_FAULTS_OF_A_FILE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)

Image.init()
pillow_heif.register_heif_opener(thumbnails=False)


class NotAPhoto(Invalid):
    """The file is no picture we read, whatever its name says."""


class PhotoTooLarge(Invalid):
    """More bytes or more pixels than a photograph of a case needs."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A photograph ready to keep: JPEG bytes, their hash, and what the original said about itself.

    `taken_lon`, `taken_lat` are degrees as the camera gave them (WGS 84 by the EXIF standard).
    """

    jpeg: bytes
    sha256: str
    width: int
    height: int
    taken_at: datetime | None
    taken_lon: float | None
    taken_lat: float | None


def prepare(data: bytes, zone: ZoneInfo) -> Prepared:
    """Make a clean JPEG of at most `MAX_SIDE` pixels a side from a sent file; upright, HEIC included.

    `zone` is taken for a camera's time without an offset. The same file always gives the same bytes. Raises
    NotAPhoto when the content is no picture (its name and declared type are never asked), PhotoTooLarge for
    too many bytes or pixels.
    """
    if len(data) > MAX_BYTES:
        raise _too_large(f"{len(data) / 1e6:.0f} MB", f"{MAX_BYTES / 1e6:.0f} MB")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _too_large(f"{opened.width} x {opened.height}", f"{MAX_PIXELS / 1e6:.0f} Mpx")
            taken_at, lon, lat = _taken(opened.getexif(), zone)
            picture = _upright_rgb(opened)
    except _FAULTS_OF_A_FILE as error:
        raise _not_a_photo() from error
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=QUALITY, optimize=True)
    jpeg = output.getvalue()
    return Prepared(jpeg, hashlib.sha256(jpeg).hexdigest(), picture.width, picture.height, taken_at, lon, lat)


def _upright_rgb(opened: Image.Image) -> Image.Image:
    """The picture as seen, without anything but its pixels; see-through parts become white."""
    opened.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a large JPEG is decoded at half or a quarter straight away
    picture = ImageOps.exif_transpose(opened)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    clean = Image.new("RGB", picture.size)
    clean.paste(picture.convert("RGB"))
    return clean


def _taken(exif: Image.Exif, zone: ZoneInfo) -> tuple[datetime | None, float | None, float | None]:
    """(time with offset, lon, lat) of the original; None for what it does not say or says badly."""
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    lon = _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    lat = _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    if lon is None or lat is None:
        lon = lat = None
    return _moment(inner, zone), lon, lat


def _moment(inner: dict[int, object], zone: ZoneInfo) -> datetime | None:
    text = str(inner.get(ExifTags.Base.DateTimeOriginal, "")).strip("\x00 ")
    offset = str(inner.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\x00 ")
    with contextlib.suppress(ValueError):
        return datetime.strptime(f"{text} {offset}", "%Y:%m:%d %H:%M:%S %z")
    with contextlib.suppress(ValueError):
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
    return None


def _degrees(place: dict[int, Any], tag: int, reference_tag: int, negative: str, limit: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in place[tag])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= limit:
        return None
    return -value if place.get(reference_tag) == negative else value


def keep(
    session: Session,
    folder: Path,
    incident_id: int,
    photos: list[Prepared],
    *,
    kind: str,
    by: Principal,
    now: datetime,
) -> list[PhotoRow]:
    """Write the files under `folder` and their rows in the caller's transaction; those already there stay.

    The person must see the case, and be its handler or the desk for 'after'. Raises NotFound, Denied, or
    Invalid when the case would have more than `MAX_PHOTOS` of a kind.
    """
    if not count_incidents(session, Filter(ids=[incident_id]), by=by, now=now):
        raise no_incident(incident_id)
    territory, handler_id = session.execute(
        sa.text("SELECT territory, handler_id FROM incident WHERE id = :id FOR UPDATE"), {"id": incident_id}
    ).one()
    if kind == "after" and not by.sees_territory and handler_id != by.member_id:
        raise Denied(
            en="Only the person handling the case adds the photograph of its result.",
            zh="只有处置人可以上传处置后的照片。",
            remedy_en="Send it as kind=before, or sign in as the handler.",
            remedy_zh="请以 kind=before 上传，或以处置人身份登录。",
        )
    for photo in photos:
        write_file(folder, photo)
    rows = [
        {
            "incident_id": incident_id,
            "kind": kind,
            "sha256": photo.sha256,
            "content_type": CONTENT_TYPE,
            "width": photo.width,
            "height": photo.height,
            "bytes": len(photo.jpeg),
            "taken_at": photo.taken_at,
            "taken_lon": photo.taken_lon,
            "taken_lat": photo.taken_lat,
            "at": now,
            "territory": territory,
        }
        for photo in photos
    ]
    session.execute(insert(IncidentPhoto).on_conflict_do_nothing(), rows)
    kept = _kept(session, incident_id, kind)
    if len(kept) > MAX_PHOTOS:
        raise Invalid(
            en=f"A case takes {MAX_PHOTOS} photographs of a kind.",
            zh=f"每个事件每类照片最多 {MAX_PHOTOS} 张。",
            remedy_en="Choose the ones that show it best.",
            remedy_zh="请选最能说明情况的几张。",
        )
    return [row for sha256, row in kept if sha256 in {photo.sha256 for photo in photos}]


def require_kept(session: Session, incident_id: int, photos: list[Prepared]) -> None:
    """A report sent again must carry the photographs it was first answered with, or none. Raises Conflict."""
    kept = {sha256 for sha256, _ in _kept(session, incident_id, "before")}
    if not {photo.sha256 for photo in photos} <= kept:
        raise Conflict(
            en="This report_key was used before with other photographs.",
            zh="该 report_key 已用于照片不同的上报。",
            remedy_en="Add the photographs to the case: POST /api/v1/incidents/{id}/photos.",
            remedy_zh="请把照片补传到该事件：POST /api/v1/incidents/{id}/photos。",
            incident=incident_id,
        )


def _kept(session: Session, incident_id: int, kind: str) -> list[tuple[str, PhotoRow]]:
    rows = session.execute(
        sa.text(
            "SELECT sha256, id, kind, width, height, at FROM incident_photo"
            " WHERE incident_id = :incident AND kind = :kind ORDER BY id"
        ),
        {"incident": incident_id, "kind": kind},
    )
    return [(row[0], PhotoRow(*row[1:])) for row in rows]


def write_file(folder: Path, photo: Prepared) -> Path:
    """The file of a photograph, complete and flushed to disk, under its hash; written once."""
    path = path_of(folder, photo.sha256)
    return path if path.exists() else write_jpeg(folder, photo.sha256, photo.jpeg)


def write_jpeg(folder: Path, sha256: str, jpeg: bytes) -> Path:
    """Write a clean picture under its hash, over whatever stands there."""
    path = path_of(folder, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="draft-", delete=False) as draft:
        draft.write(jpeg)
        draft.flush()
        os.fsync(draft.fileno())
    os.replace(draft.name, path)
    for changed in (path.parent, path.parent.parent):
        handle = os.open(changed, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return path


def path_of(folder: Path, sha256: str) -> Path:
    """Where a photograph lies: two levels, so that no folder grows beyond reason."""
    return folder / sha256[:2] / f"{sha256}.jpg"


def attach(session: Session, incident_id: int, photo_ids: list[int], *, version: int) -> None:
    """Hang photographs kept for a case on the move that led to `version`. Raises Invalid for others."""
    move_id = (
        sa.select(sa.func.max(IncidentMove.id))
        .where(IncidentMove.incident_id == incident_id, IncidentMove.version == version)
        .scalar_subquery()
    )
    done = session.execute(
        sa.update(IncidentPhoto)
        .where(IncidentPhoto.incident_id == incident_id, IncidentPhoto.id.in_(photo_ids))
        .values(move_id=move_id)
        .returning(IncidentPhoto.id)
    ).scalars()
    if missing := set(photo_ids) - set(done):
        raise Invalid(
            en=f"The case has no photographs {sorted(missing)}.",
            zh=f"该事件没有照片 {sorted(missing)}。",
            remedy_en="Upload them first: POST /api/v1/incidents/{id}/photos.",
            remedy_zh="请先上传：POST /api/v1/incidents/{id}/photos。",
        )


def remove(session: Session, folder: Path, photo_ids: list[int]) -> int:
    """Delete photographs, and each file that no other photograph names; returns how many.

    The file goes before its row is committed: a row without its file is found again, a file without its row
    never would be.
    """
    gone = session.execute(
        sa.delete(IncidentPhoto).where(IncidentPhoto.id.in_(photo_ids)).returning(IncidentPhoto.sha256)
    ).scalars()
    hashes = set(gone)
    named = set(
        session.scalars(sa.select(IncidentPhoto.sha256).where(IncidentPhoto.sha256.in_(hashes)).distinct())
    )
    for sha256 in hashes - named:
        path_of(folder, sha256).unlink(missing_ok=True)
    return len(photo_ids)


def find(session: Session, folder: Path, photo_id: int, *, by: Principal, now: datetime) -> Path:
    """The file of a photograph whose case the person may see. Raises NotFound."""
    row = session.execute(
        sa.select(IncidentPhoto.incident_id, IncidentPhoto.sha256).where(IncidentPhoto.id == photo_id)
    ).one_or_none()
    if row is not None and count_incidents(session, Filter(ids=[row.incident_id]), by=by, now=now):
        return path_of(folder, row.sha256)
    raise NotFound(
        en=f"There is no photograph {photo_id} that you can see.",
        zh=f"没有您可查看的照片 {photo_id}。",
        remedy_en="Open it from its case.",
        remedy_zh="请从事件中打开。",
    )


def _not_a_photo() -> NotAPhoto:
    return NotAPhoto(
        en="The file is not a photograph we can read.",
        zh="该文件不是可识别的照片。",
        remedy_en="Send a JPEG, PNG, WebP or HEIC picture; take it again when it is damaged.",
        remedy_zh="请上传 JPEG、PNG、WebP 或 HEIC 图片；文件损坏时请重拍。",
    )


def _too_large(found: str, most: str) -> PhotoTooLarge:
    return PhotoTooLarge(
        en=f"The photograph is too large: {found}, at most {most}.",
        zh=f"照片过大：{found}，上限 {most}。",
        remedy_en="Take it at a lower resolution.",
        remedy_zh="请降低分辨率后重拍。",
    )
