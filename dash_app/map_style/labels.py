"""Names of roads, rivers, estates, places and areas. The browser draws each glyph: no glyph server."""

from __future__ import annotations

from typing import Any

from dash_app.map_style.expressions import BOLD, ITALIC, REGULAR, Layer, kinds, name


def labels(palette: dict[str, Any], language: str) -> list[Layer]:
    label = palette["label"]
    chinese = language == "zh"
    halo = {"text-halo-color": label["halo"], "text-halo-width": 1.4}
    layers: list[Layer] = []
    for class_, size, zoom, spacing in (
        ("local", 10.5, 15.6, 520),
        ("secondary", 11.5, 13.4, 420),
        ("arterial", 12, 12.2, 420),
        ("expressway", 12, 12.2, 420),
    ):
        layers.append(
            {
                "id": f"label-road-{class_}",
                "type": "symbol",
                "source": "base",
                "source-layer": "roads",
                "minzoom": zoom,
                "filter": ["all", ["==", ["get", "class"], class_], ["has", "name"]],
                "layout": {
                    "symbol-placement": "line",
                    "symbol-spacing": spacing,
                    "text-field": name(language),
                    "text-font": REGULAR,
                    "text-size": size if chinese else size - 0.5,
                    "text-letter-spacing": 0.32 if chinese else 0.02,
                    "text-max-angle": 40,
                    "text-padding": 6,
                },
                "paint": {"text-color": label["road"], **halo},
            }
        )
    layers.append(_river(label, language))
    layers += [
        _point("label-estate", ("estate", "village", "lane"), label["area"], 11.5, 15, language, halo),
        _point(
            "label-place",
            ("school", "hospital", "civic", "commercial", "factory", "plaza"),
            label["poi"],
            11.5,
            14.4,
            language,
            halo,
        ),
        _point("label-park", ("park", "green"), label["park"], 12, 13.4, language, halo),
        _area_label("label-community", "community", label, language, 13.5 if chinese else 11.5, 12.4, 15.9),
        _area_label("label-subdistrict", "subdistrict", label, language, 15 if chinese else 13, 11, 13),
        _district_label(label, language),
    ]
    return layers


def _river(label: dict[str, Any], language: str) -> Layer:
    return {
        "id": "label-river",
        "type": "symbol",
        "source": "base",
        "source-layer": "labels",
        "minzoom": 11,
        "filter": kinds(("river", "canal")),
        "layout": {
            "text-field": name(language),
            "text-font": ITALIC,
            "text-size": 15 if language == "zh" else 14,
            "text-letter-spacing": 1.6 if language == "zh" else 0.12,
            "text-padding": 12,
            "text-rotate": ["coalesce", ["get", "angle"], 0],
        },
        "paint": {"text-color": label["river"]},
    }


def _point(
    id_: str,
    wanted: tuple[str, ...],
    colour: str,
    size: float,
    minzoom: float,
    language: str,
    halo: dict[str, Any],
) -> Layer:
    return {
        "id": id_,
        "type": "symbol",
        "source": "base",
        "source-layer": "labels",
        "minzoom": minzoom,
        "filter": kinds(wanted),
        "layout": {
            "text-field": name(language),
            "text-font": REGULAR,
            "text-size": size,
            "text-max-width": 8,
            "text-padding": 4,
        },
        "paint": {"text-color": colour, **halo},
    }


def _district_label(label: dict[str, Any], language: str) -> Layer:
    """A district's name: above or below its middle where markers take that, never beside: that may be the
    neighbour's ground."""
    layer = _area_label("label-district", "district", label, language, 17 if language == "zh" else 14, 8, 12)
    layer["layout"] |= {"text-variable-anchor": ["center", "top", "bottom"]}
    layer["layout"] |= {"text-radial-offset": 1.6}
    return layer


def _area_label(
    id_: str, kind: str, label: dict[str, Any], language: str, size: float, minzoom: float, maxzoom: float
) -> Layer:
    layer = _point(
        id_,
        (kind,),
        label["community"],
        size,
        minzoom,
        language,
        {"text-halo-color": label["halo"], "text-halo-width": 1.6},
    )
    layer["maxzoom"] = maxzoom
    layer["layout"]["text-font"] = BOLD
    layer["layout"]["text-letter-spacing"] = 0.28 if language == "zh" else 0.2
    if language == "en":
        layer["layout"]["text-transform"] = "uppercase"
    return layer
