"""Photographs for the living cases: a road drawn with a few shapes, and what is wrong in front of it.

Nothing is taken from anywhere: each picture is drawn from the case's icon and its number, so the panel of an
open case shows something, and nobody could take it for a real place.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from etl.demo_city.cases import Case
from etl.demo_city.writing import Rows
from incidents import photos

WIDTH, HEIGHT = 960, 620
MOST = 40
SHARE = 0.75
"""Of the cases reported with a phone whose trouble we can draw, so many come with a photograph."""
WITH_PHONES = ("member", "wechat", "resident")
HORIZON, KERB = 330, 400

Pen = ImageDraw.ImageDraw


def photo_rows(
    cases: Sequence[tuple[int, Case]], folder: Path, zone: ZoneInfo, rng: np.random.Generator
) -> Rows:
    """Draw and keep photographs of some of the cases (id, case); rows of `incident_photo`.

    The files lie under `folder` as `incidents.photos` keeps them; a load that fails leaves them there, named
    by nobody.
    """
    kept: list[tuple[int, str, photos.Prepared, datetime, str]] = []
    for case_id, case in cases:
        story, icon = case.story, case.story.kind.icon
        if len(kept) >= MOST:
            break
        if case.placed.channel[case.row] not in WITH_PHONES or icon not in _THINGS or rng.random() >= SHARE:
            continue
        shots = [("before", story.at["report"], icon)]
        if "finish" in story.at:
            shots.append(("after", story.at["finish"], ""))
        for kind, at, shown in shots:
            photo = photos.prepare(draw(shown, case_id), zone)
            photos.write_file(folder, photo)
            kept.append((case_id, kind, photo, at, case.route.territory))
    return Rows(
        "incident_photo",
        incident_id=[i for i, *_ in kept],
        kind=[kind for _, kind, *_ in kept],
        sha256=[photo.sha256 for _, _, photo, _, _ in kept],
        content_type=[photos.CONTENT_TYPE] * len(kept),
        width=[photo.width for _, _, photo, _, _ in kept],
        height=[photo.height for _, _, photo, _, _ in kept],
        bytes=[len(photo.jpeg) for _, _, photo, _, _ in kept],
        taken_at=[at for *_, at, _ in kept],
        at=[at for *_, at, _ in kept],
        territory=[territory for *_, territory in kept],
    ).numbered()


def draw(icon: str, number: int) -> bytes:
    """A road scene as JPEG bytes with what an icon stands for in front of it; an empty icon: put right."""
    rng = np.random.default_rng((number, 51))
    image = Image.new("RGB", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(image)
    _sky(pen, rng)
    _houses(pen, rng)
    _tree(pen, int(rng.integers(420, 560)), 1.0 + 0.2 * rng.random())
    _wall_and_pavement(pen)
    _THINGS.get(icon, _bin)(pen, rng)
    output = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(0.8)).save(output, "JPEG", quality=82)
    return output.getvalue()


def _sky(pen: Pen, rng: np.random.Generator) -> None:
    light = int(rng.integers(0, 25))
    for y in range(HORIZON):
        pen.line([(0, y), (WIDTH, y)], (176 + light + y // 14, 192 + light // 2 + y // 16, 202 + y // 20))


def _houses(pen: Pen, rng: np.random.Generator) -> None:
    """Two blocks of flats with windows, one on either side."""
    for left, right, top in ((0, 330, 20), (650, WIDTH, 60)):
        tone = int(rng.integers(-14, 14))
        pen.rectangle([left, top, right, HORIZON], (178 + tone, 166 + tone, 148 + tone))
        for y in range(top + 26, HORIZON - 40, 74):
            for x in range(left + 26, right - 40, 84):
                pen.rectangle([x, y, x + 46, y + 40], (84, 98, 110))
                pen.line([(x + 23, y), (x + 23, y + 40)], (150, 150, 146), 3)
                pen.rectangle([x - 4, y + 44, x + 50, y + 50], (150 + tone, 140 + tone, 126 + tone))


def _tree(pen: Pen, x: int, size: float) -> None:
    pen.rectangle([x - 9, 230, x + 9, HORIZON + 20], (104, 82, 62))
    for dx, dy, r, tone in ((0, 0, 92, 0), (-56, 34, 62, -12), (58, 26, 66, 10), (8, -44, 60, 16)):
        r = int(r * size)
        pen.ellipse([x + dx - r, 190 + dy - r, x + dx + r, 190 + dy + r], (82 + tone, 112 + tone, 66 + tone))


def _wall_and_pavement(pen: Pen) -> None:
    pen.rectangle([0, HORIZON - 24, WIDTH, HORIZON - 10], (158, 82, 62))
    pen.rectangle([0, HORIZON - 10, WIDTH, KERB], (196, 190, 178))
    for row, y in enumerate(range(HORIZON - 10, KERB, 20)):
        for x in range(-(row % 2) * 30, WIDTH, 60):
            pen.rectangle([x, y, x + 60, y + 20], outline=(178, 172, 160))
    pen.rectangle([0, KERB, WIDTH, HEIGHT], (146, 144, 140))
    for k in range(-8, 16):
        pen.line([(WIDTH / 2 + (k - 4) * 70, KERB), (WIDTH / 2 + (k - 4) * 190, HEIGHT)], (134, 132, 128), 2)
    for y in (KERB + 30, KERB + 76, KERB + 144):
        pen.line([(0, y), (WIDTH, y)], (134, 132, 128), 2)


# ---- what is wrong -----------------------------------------------------------------------------------


def _heap(pen: Pen, rng: np.random.Generator) -> None:
    """Bags and rubble."""
    for _ in range(26):
        x, y, r = rng.normal(480, 110), rng.normal(505, 26), rng.uniform(18, 62)
        tone = int(rng.integers(-26, 26))
        corners = [
            (x + r * np.cos(t) * rng.uniform(0.7, 1.2), y + 0.7 * r * np.sin(t) * rng.uniform(0.7, 1.2))
            for t in np.linspace(0, 2 * np.pi, 7, endpoint=False)
        ]
        pen.polygon(corners, (138 + tone, 124 + tone, 106 + tone))
    for x in (400, 560, 500):
        pen.ellipse([x - 44, 470, x + 44, 552], (202, 196, 180))
        pen.polygon([(x - 12, 470), (x + 12, 470), (x, 452)], (180, 172, 156))


def _lamp(pen: Pen, rng: np.random.Generator) -> None:
    """A dark road lamp at dusk."""
    pen.rectangle([470, 60, 482, 560], (92, 94, 96))
    pen.line([(476, 66), (610, 40)], (92, 94, 96), 9)
    pen.ellipse([590, 32, 668, 60], (58, 60, 64))


def _cover(pen: Pen, rng: np.random.Generator) -> None:
    """A broken manhole cover."""
    pen.ellipse([340, 470, 620, 570], (84, 82, 80))
    pen.ellipse([360, 478, 600, 562], (112, 110, 108))
    pen.polygon([(470, 480), (560, 500), (540, 556), (450, 540)], (30, 28, 28))
    for x in range(380, 590, 26):
        pen.line([(x, 482), (x - 8, 558)], (92, 90, 88), 3)


def _cars(pen: Pen, rng: np.random.Generator) -> None:
    """Cars where none should stand."""
    for x, paint in ((150, (164, 60, 52)), (470, (232, 232, 228)), (760, (70, 84, 102))):
        pen.polygon([(x + 40, 452), (x + 80, 412), (x + 190, 412), (x + 232, 452)], (64, 72, 80))
        pen.rounded_rectangle([x, 448, x + 270, 516], 22, paint)
        for wheel in (x + 58, x + 208):
            pen.ellipse([wheel - 28, 490, wheel + 28, 546], (36, 36, 38))
            pen.ellipse([wheel - 12, 506, wheel + 12, 530], (150, 150, 150))


def _water(pen: Pen, rng: np.random.Generator) -> None:
    """A flooded road."""
    for k, tone in ((0, 0), (26, 12), (60, 22)):
        box = [160 + k * 2, 440 + k // 2, 820 - k * 2, 590 - k // 2]
        pen.ellipse(box, (106 + tone, 124 + tone, 138 + tone))


def _fallen_tree(pen: Pen, rng: np.random.Generator) -> None:
    pen.line([(230, 540), (640, 470)], (104, 82, 62), 26)
    for x, y, r in ((660, 456, 78), (720, 500, 64), (610, 500, 58), (700, 420, 48)):
        pen.ellipse([x - r, y - r * 0.7, x + r, y + r * 0.7], (86, 116, 70))


def _stall(pen: Pen, rng: np.random.Generator) -> None:
    """Goods and a parasol on the pavement."""
    pen.polygon([(300, 300), (480, 236), (660, 300)], (186, 74, 60))
    pen.rectangle([475, 296, 485, 500], (120, 110, 100))
    pen.rectangle([330, 470, 640, 500], (172, 142, 104))
    for x in range(344, 630, 36):
        r = int(rng.integers(12, 17))
        colour = [(206, 120, 52), (112, 148, 66), (190, 66, 60)][int(rng.integers(3))]
        pen.ellipse([x - r, 462 - r, x + r, 462 + r], colour)
    for x in (350, 610):
        pen.rectangle([x, 500, x + 12, 560], (130, 104, 76))


def _fire_lane(pen: Pen, rng: np.random.Generator) -> None:
    """Boxes on a marked fire lane."""
    for x in range(120, 860, 110):
        pen.polygon([(x, 590), (x + 50, 590), (x + 92, 440), (x + 62, 440)], (214, 178, 60))
    for x, y, w in ((360, 470, 120), (490, 480, 96), (400, 410, 100)):
        pen.rectangle([x, y, x + w, y + 70], (176, 138, 92))
        pen.line([(x, y + 34), (x + w, y + 34)], (150, 114, 74), 4)


def _bin(pen: Pen, rng: np.random.Generator) -> None:
    """Put right: a closed bin on a clean pavement."""
    pen.rounded_rectangle([590, 430, 690, 560], 10, (66, 112, 84))
    pen.rounded_rectangle([580, 414, 700, 440], 8, (54, 96, 72))
    for x in (606, 674):
        pen.ellipse([x - 13, 548, x + 13, 574], (44, 44, 46))


_THINGS: dict[str, Callable[[Pen, np.random.Generator], None]] = {
    "trash": _heap,
    "lamp": _lamp,
    "lid": _cover,
    "car": _cars,
    "drop": _water,
    "tree": _fallen_tree,
    "shop": _stall,
    "fire": _fire_lane,
    "alert": _fire_lane,
    "wrench": _cover,
}
