"""A phone in the hand of the tests: opened signed in at a place, tapped, and given photographs."""

from __future__ import annotations

import io

from PIL import Image

from tests.browser.conftest import Site
from tests.toy_city import LAT, LON

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MAP = "document.querySelector('.map')._map"
MAP_READY = ".map[data-ready='1']"
HOME = {"longitude": LON - 0.001, "latitude": LAT + 0.001, "accuracy": 12}
"""In the middle of the north-western cell."""
ON_THE_BORDER = {"longitude": LON, "latitude": LAT + 0.001, "accuracy": 28}
"""On 建设大道, between the north-western and the north-eastern cell."""


def open_phone(
    site: Site, path: str = "/m", username: str | None = "member", at=HOME, wait_for=MAP_READY, **more
):
    where = {"geolocation": at, "permissions": ["geolocation"]} if at else {"permissions": []}
    return site.open(path, username, wait_for=wait_for, **{**PHONE, **where, **more})


def picture(colour: tuple[int, int, int]) -> dict:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "JPEG")
    return {"name": "site.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def tap_map(page, lon: float, lat: float) -> None:
    x, y = page.evaluate(f"at => {{ const p = {MAP}.project(at); return [p.x, p.y]; }}", [lon, lat])
    box = page.locator(".map").bounding_box()
    page.touchscreen.tap(box["x"] + x, box["y"] + y)


def look_at(page, lon: float, lat: float, zoom: float) -> None:
    page.evaluate(
        f"""([lon, lat, zoom]) => new Promise((done) => {{
            {MAP}.once('idle', done);
            {MAP}.jumpTo({{ center: [lon, lat], zoom, padding: 0 }});
            {MAP}.triggerRepaint();
        }})""",
        [lon, lat, zoom],
    )


def report_by_program(site: Site, key: str, **changes) -> int:
    """A report of the officer's for the member's cell, which reaches the member at once."""
    body = {
        "report_key": key, "lon": LON - 0.0011, "lat": LAT + 0.0009, "crs": "EPSG:4490", "accuracy_m": 5,
        "category": "9901", "description": f"{key}: 桶边堆了袋子",
    }  # fmt: skip
    with site.api("officer") as desk:
        return desk.post("/api/v1/incidents", json=body | changes).raise_for_status().json()["id"]
