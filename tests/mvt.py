"""A vector tile read back byte by byte: enough of Mapbox Vector Tile 2.1 to see what was really sent."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Point = tuple[int, int]


@dataclass(frozen=True)
class Feature:
    """`id` is None where none was sent; `parts` are the paths of the geometry in tile units, y downwards."""

    id: int | None
    kind: int
    attributes: dict[str, Any]
    parts: list[list[Point]]


def decode(data: bytes) -> dict[str, list[Feature]]:
    """Source-layer -> its features."""
    layers = {}
    for number, value in _fields(data):
        assert number == 3, "a tile holds layers and nothing else"
        name, features = _layer(value)
        assert name not in layers, "the same layer twice makes an invalid tile"
        layers[name] = features
    return layers


def _layer(data: bytes) -> tuple[str, list[Feature]]:
    name, raw, keys, values = "", [], [], []
    for number, value in _fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            raw.append(value)
        elif number == 3:
            keys.append(value.decode())
        elif number == 4:
            values.append(_value(value))
    return name, [_feature(feature, keys, values) for feature in raw]


def _feature(data: bytes, keys: list[str], values: list[Any]) -> Feature:
    id_, kind, tags, geometry = None, 0, [], []
    for number, value in _fields(data):
        if number == 1:
            id_ = value
        elif number == 2:
            tags = list(_packed(value))
        elif number == 3:
            kind = value
        elif number == 4:
            geometry = list(_packed(value))
    attributes = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    return Feature(id_, kind, attributes, _paths(geometry))


def _paths(commands: list[int]) -> list[list[Point]]:
    parts: list[list[Point]] = []
    x = y = at = 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        for _ in range(count):
            if command == 7:
                parts[-1].append(parts[-1][0])
                continue
            x, y = x + _zigzag(commands[at]), y + _zigzag(commands[at + 1])
            at += 2
            if command == 1:
                parts.append([])
            parts[-1].append((x, y))
    return parts


def _value(data: bytes) -> Any:
    ((number, value),) = _fields(data)
    if number == 1:
        return value.decode()
    if number in (2, 3):
        return struct.unpack("<f" if number == 2 else "<d", value)[0]
    if number == 6:
        return _zigzag(value)
    return bool(value) if number == 7 else value


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
        else:
            size, at = (8, at) if wire == 1 else (4, at) if wire == 5 else _varint(data, at)
            value, at = data[at : at + size], at + size
        yield number, value


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def _zigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)
