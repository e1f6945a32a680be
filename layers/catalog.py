"""The catalogue: which layers exist, what their fields are called, and how private each field is.

This is the one place for layers and privacy classes. Features, exports and notebooks ask here, so a new layer
is one entry, and a field nobody has classed cannot leave the house. Tables of rooms above (cells, incidents)
are named as text: the catalogue knows that they exist, not how they work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gis.errors import Denied, NotFound


class Privacy(StrEnum):
    """Who may read a field: anybody signed in, the city's own staff, or only a reading that is recorded."""

    OPEN = "open"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute, named as its column."""

    name: str
    zh: str
    en: str
    privacy: Privacy = Privacy.OPEN


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its words, its table and its fields in the order people read them.

    `geometry` is polygon, line or point, or None where people live: such a table has no place of its own.
    `key` is the column a feature is asked for by, unique and growing. `where` is SQL over `t` that every
    reader applies. `scoped` means that rows are shown by the reader's territory and tasks, not to everybody.
    """

    name: str
    title_zh: str
    title_en: str
    geometry: str | None
    table: str
    from_zoom: int
    fields: tuple[Field, ...]
    key: str = "id"
    where: str = "true"
    scoped: bool = False

    def fields_for(self, role: str) -> tuple[Field, ...]:
        """What a role may read of the layer's features: a resident open fields, staff internal ones too."""
        if self.is_personal:
            return ()
        served = (Privacy.OPEN,) if role == "resident" else (Privacy.OPEN, Privacy.INTERNAL)
        return tuple(field for field in self.fields if field.privacy in served)

    @property
    def is_personal(self) -> bool:
        """Whether the layer is about people: nothing of it is served as features or tiles."""
        return self.geometry is None


def _internal(name: str, zh: str, en: str) -> Field:
    return Field(name, zh, en, Privacy.INTERNAL)


def _personal(name: str, zh: str, en: str) -> Field:
    return Field(name, zh, en, Privacy.PERSONAL)


_NAME = Field("name", "名称", "Name")
_NAME_EN = Field("name_en", "英文名称", "English name")
_KIND = Field("kind", "类型", "Kind")
_ADDRESS = Field("address", "地址", "Address")
_CELL = Field("cell_code", "所属网格", "Cell")
_TERRITORY = Field("territory", "辖区编码", "Territory")
_SOURCE = _internal("source_code", "来源编码", "Source code")
_HOUSEHOLDS = _internal("households_count", "住户数", "Households")

LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        layer.name: layer
        for layer in (
            Layer(
                "areas", "行政区划", "Areas", "polygon", "area", 9,
                (
                    Field("code", "编码", "Code"),
                    Field("level", "层级", "Level"),
                    _NAME, _NAME_EN,
                    Field("parent_code", "上级编码", "Parent"),
                    _SOURCE, _TERRITORY,
                ),
                key="code",
            ),
            Layer(
                "cells", "网格", "Cells", "polygon", "cell", 12,
                (
                    Field("code", "网格编码", "Code"),
                    _NAME, _KIND,
                    Field("generation", "版次", "Generation"),
                    Field("community_code", "所属社区", "Community"),
                    Field("area_m2", "面积（平方米）", "Area (m2)"),
                    _HOUSEHOLDS, _SOURCE, _TERRITORY,
                ),
                where="t.generation = (SELECT name FROM generation WHERE status = 'active')",
            ),
            Layer(
                "estates", "小区", "Estates", "polygon", "estate", 12,
                (_NAME, _KIND, _SOURCE, _TERRITORY),
            ),
            Layer(
                "buildings", "楼栋", "Buildings", "polygon", "building", 14,
                (
                    _NAME,
                    Field("number", "楼号", "Number"),
                    Field("estate_id", "小区", "Estate"),
                    _ADDRESS,
                    Field("use", "用途", "Use"),
                    Field("style", "形制", "Style"),
                    Field("floors", "楼层数", "Floors"),
                    Field("units", "单元数", "Units"),
                    Field("height_m", "高度（米）", "Height (m)"),
                    _HOUSEHOLDS, _CELL, _SOURCE, _TERRITORY,
                ),
            ),
            Layer(
                "households", "住户", "Households", None, "household", 0,
                (
                    _personal("building_id", "楼栋", "Building"),
                    _personal("unit", "单元", "Unit"),
                    _personal("floor", "楼层", "Floor"),
                    _personal("door", "门牌", "Door"),
                    _personal("residents_count", "居民数", "Residents"),
                    _personal("source_code", "来源编码", "Source code"),
                    _TERRITORY,
                ),
                scoped=True,
            ),
            Layer(
                "residents", "居民", "Residents", None, "resident", 0,
                (
                    _personal("household_id", "住户", "Household"),
                    _personal("name", "姓名", "Name"),
                    _personal("gender", "性别", "Gender"),
                    _personal("birth_year", "出生年", "Year of birth"),
                    _personal("phone", "电话", "Phone"),
                    _personal("is_head", "户主", "Head of household"),
                    Field("tags", "关怀标签", "Care tags", Privacy.SENSITIVE),
                    _personal("source_code", "来源编码", "Source code"),
                    _internal("erased_at", "匿名时间", "Made nameless"),
                    _TERRITORY,
                ),
                scoped=True,
            ),
            Layer(
                "shops", "商铺", "Shops", "point", "shop", 15,
                (
                    _NAME,
                    Field("category", "业态", "Trade"),
                    Field("building_id", "所在楼栋", "Building"),
                    _ADDRESS, _CELL, _SOURCE, _TERRITORY,
                ),
            ),
            Layer(
                "components", "部件", "Components", "point", "component", 16,
                (
                    _KIND,
                    Field("code", "部件编码", "Code"),
                    _NAME,
                    _internal("department_code", "责任部门", "Department"),
                    Field("state", "状态", "State"),
                    _CELL, _SOURCE, _TERRITORY,
                ),
            ),
            Layer(
                "roads", "道路", "Roads", "line", "road", 9,
                (
                    _NAME, _NAME_EN,
                    Field("class", "等级", "Class"),
                    Field("width_m", "宽度（米）", "Width (m)"),
                    Field("bridge", "桥", "Bridge"),
                    _SOURCE,
                ),
            ),
            Layer("land", "用地", "Land use", "polygon", "land", 9, (_KIND, _NAME, _SOURCE)),
            Layer("water", "水系", "Water", "polygon", "water", 9, (_KIND, _NAME, _SOURCE)),
            Layer(
                "incidents", "事件", "Cases", "point", "incident", 13,
                (
                    _internal("number", "编号", "Number"),
                    _internal("title", "事项", "Title"),
                    _internal("category", "类别", "Category"),
                    _internal("stage", "阶段", "Stage"),
                    _internal("channel", "来源", "Channel"),
                    _internal("place", "地点", "Place"),
                    _internal("cell_code", "所属网格", "Cell"),
                    _internal("territory", "辖区编码", "Territory"),
                    _internal("rule", "判定规则", "Rule"),
                    _internal("confidence", "把握", "Confidence"),
                    _internal("department_code", "责任部门", "Department"),
                    _internal("reported_at", "上报时间", "Reported"),
                    _internal("due_at", "到期时间", "Due"),
                    _internal("closed_at", "结案时间", "Closed"),
                    _personal("description", "描述", "Description"),
                    _personal("on_behalf", "代谁上报", "Reported for"),
                    _personal("floor", "楼层", "Floor"),
                    _personal("unit", "单元", "Unit"),
                ),
                scoped=True,
            ),
        )
    }
)  # fmt: skip


def layer(name: str) -> Layer:
    """The layer of a name. Raises NotFound naming those that exist."""
    found = LAYERS.get(name)
    if found is None:
        known = [known.name for known in LAYERS.values()]
        raise NotFound(
            en=f"There is no layer {name}.",
            zh=f"没有图层 {name}。",
            remedy_en="Layers are " + ", ".join(known) + ".",
            remedy_zh="图层有：" + "、".join(known) + "。",
        )
    return found


def drawable_layer(name: str) -> Layer:
    """A layer that may be served as features. Raises NotFound, or Denied where it is about people."""
    found = layer(name)
    if found.is_personal:
        raise Denied(
            en=f"The layer {name} holds personal records and is not served as features.",
            zh=f"图层“{found.title_zh}”为个人信息，不以要素形式提供。",
            remedy_en="Ask for buildings (with their household counts), or open one household from its"
            " building; each reading is recorded.",
            remedy_zh="可查询楼栋（含住户数），或从楼栋打开单个住户；每次查看都会留下记录。",
        )
    return found
