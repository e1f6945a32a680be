"""Take the picture beside the sign-in form: our own map of the synthetic city, in both themes.

    python tests/browser/take_sign_in_picture.py http://127.0.0.1:8050

The server must show a demo city (`citygrid demo load`, seed 1). The pictures lie beside the style sheets and
show nothing of a real city, since they are seen before anybody has signed in.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from api.demo_accounts import PASSWORD
from dash_app.frame import ASSETS
from dash_app.tokens import THEMES
from tests.browser.conftest import CHROMIUM, FLAGS, MAP_READY

CELL = "990101001002003"
CENTRE, ZOOM = (113.0946, 23.0040), 15.75
SIZE = {"width": 1100, "height": 1000}
FINE = 1.5
"""Pixels of the picture for each of the page."""

LOOK = """([lon, lat, zoom]) => new Promise((done) => {
    document.head.insertAdjacentHTML('beforeend', `<style>
        .rail, .panel, .float, .foot, .controls { display: none !important; }
        .map-view { inset: 0 !important; }</style>`);
    const map = window.citygrid.map.map;
    ['open', 'open-cluster', 'open-ring', 'closed', 'focus-label'].forEach((id) =>
        map.setLayoutProperty(id, 'visibility', 'none'));
    map.once('resize', () => {
        map.jumpTo({ center: [lon, lat], zoom });
        map.once('idle', done);
    });
})"""


def main(address: str) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in THEMES:
            context = browser.new_context(viewport=SIZE, device_scale_factor=FINE, reduced_motion="reduce")
            context.set_default_timeout(180_000)
            wanted = {"cg_theme": theme, "cg_language": "zh"}
            context.add_cookies([{"name": n, "value": v, "url": address} for n, v in wanted.items()])
            context.request.post(
                f"{address}/api/v1/session", data={"username": "admin", "password": PASSWORD}
            )
            page = context.new_page()
            page.goto(f"{address}/?cell={CELL}")
            page.wait_for_selector(MAP_READY)
            page.evaluate(LOOK, [*CENTRE, ZOOM])
            shot = Image.open(io.BytesIO(page.locator(".map-canvas").screenshot()))
            shot.convert("RGB").save(Path(ASSETS) / f"sign_in_{theme}.webp", quality=80, method=6)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
