"""Fixed-width digit codes for ground that comes with other names, or with none (decision 2).

A file's own code is taken when it is one. Else the division code table is asked, by parent and name: a name
alone is no key (Beijing has two 八里庄街道). Else a code is made up inside the parent, and stays the same
when the file is loaded again, because what the file calls the thing is kept as `source_code`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.encodings import text_encoding
from gis.access import CODE_WIDTHS
from gis.errors import Invalid
from layers.areas import LEVELS

UNASSIGNED_CITY = "9900"
"""Ground of no known city: no real division code begins with 99, and the demo city is 9901."""
STATISTICAL = frozenset({CODE_WIDTHS["subdistrict"], CODE_WIDTHS["community"]})
FIRST_INVENTED = 901
"""Made-up numbers inside a real parent at those widths: the statistical bureau gives 001 to 599."""

_DISTRICT_ENDING = re.compile(r"(?<=.)(?:新区|区|县|市|旗)$")
_SUBDISTRICT_ENDING = re.compile(
    r"(?<=.)(?:街道办事处|地区办事处|街道|地区|民族乡|镇|乡|社区居委会|社区|居委会|村委会)$"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a file says of one area: its id (or what stands for it), its name, its parent's name or code."""

    source_code: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """An area that is loaded already."""

    code: str
    name: str
    source_code: str | None


@dataclass(frozen=True, slots=True)
class Coded:
    """A code and where it is from: file, loaded, table, invented."""

    code: str
    origin: str


class CodeTable:
    """Division codes by name: code -> name, the parent being a prefix of the code."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self._exact: dict[tuple[str, str], list[str]] = {}
        self._stem: dict[tuple[str, str], list[str]] = {}
        for code, name in names.items():
            parent = parent_of(code)
            self._exact.setdefault((parent, name), []).append(code)
            self._stem.setdefault((parent, stem(name)), []).append(code)

    @classmethod
    def read(cls, paths: Iterable[Path]) -> CodeTable:
        """Read CSV files with the columns code and name. Raises Invalid when one has none."""
        names: dict[str, str] = {}
        for path in paths:
            with path.open(encoding=text_encoding(path, None), newline="") as file:
                rows = csv.DictReader(file)
                if not {"code", "name"} <= set(rows.fieldnames or ()):
                    raise Invalid(
                        en=f"{path.name} is no code table: it needs the columns code and name.",
                        zh=f"{path.name} 不是区划代码表：需要 code 和 name 两列。",
                        remedy_en="Give a CSV whose first line is code,name.",
                        remedy_zh="请给出首行为 code,name 的 CSV。",
                    )
                names |= {row["code"].strip(): row["name"].strip() for row in rows if row["code"]}
        return cls(names)

    def find(self, name: str, parent: str) -> str | None:
        """The code of the very name inside a parent's code."""
        return _single(self._exact.get((parent, name), ()))

    def alike(self, name: str, parent: str) -> str | None:
        """The only code inside a parent whose name has the same stem."""
        return _single(self._stem.get((parent, stem(name)), ()))

    def named(self, name: str, width: int) -> str | None:
        """The code of this width whose name it is, if there is exactly one in the whole table."""
        found = [c for c, n in self.names.items() if len(c) == width and (n == name or stem(n) == stem(name))]
        return _single(found)


def _single(found: Sequence[str]) -> str | None:
    return found[0] if len(found) == 1 else None


def stem(name: str) -> str:
    """A division's name without what it is: 高碑店地区 and 高碑店乡 are one place, 密云县 is 密云区 today."""
    shorter = _SUBDISTRICT_ENDING.sub("", name)
    return shorter if shorter != name else _DISTRICT_ENDING.sub("", name)


def parent_of(code: str) -> str:
    """The code one level up; "" above a city."""
    widths = [0, *sorted(CODE_WIDTHS.values())]
    return code[: max(width for width in widths if width < len(code))]


def official_code(text: str | None, level: str) -> str | None:
    """A division code of this level, from 6 or 12 digits padded with zeros or from the bare digits."""
    width = CODE_WIDTHS[level]
    if text is None or not text.isascii() or not text.isdigit() or len(text) < width:
        return None
    code, rest = text[:width], text[width:]
    return code if not rest.strip("0") and int(code[:2]) >= 10 else None


def area_codes(given: Sequence[Given], level: str, known: Iterable[Known], table: CodeTable) -> list[Coded]:
    """A code for each area of a file, all of one `level`, in the order given.

    `known` are the areas loaded already. The result depends on the order only among areas whose codes are
    made up. Two areas never get one code unless the file itself gives it to both.
    """
    known = list(known)
    width = CODE_WIDTHS[level]
    loaded = {area.source_code: area.code for area in known if len(area.code) == width and area.source_code}
    parents = _Parents(level, known, table)
    inside = [parents.find(area.parent) for area in given]
    coded: list[Coded | None] = []
    for area, parent in zip(given, inside, strict=True):
        if own := official_code(area.source_code, level):
            coded.append(Coded(own, "file"))
        elif area.source_code in loaded:
            coded.append(Coded(loaded[area.source_code], "loaded"))
        else:
            listed = table.find(area.name, parent) if parent is not None else None
            coded.append(Coded(listed, "table") if listed else None)
    taken = {code.code for code in coded if code}
    for i, (area, parent) in enumerate(zip(given, inside, strict=True)):
        listed = table.alike(area.name, parent) if coded[i] is None and parent is not None else None
        if listed is not None and listed not in taken:
            coded[i] = Coded(listed, "table")
            taken.add(listed)
    numbers = Numbers({*taken, *(area.code for area in known), *table.names})
    return [
        code or Coded(numbers.next(parents.code(area.parent), width), "invented")
        for code, area in zip(coded, given, strict=True)
    ]


class _Parents:
    """Finds the code of the parent a file names, and makes one up for a parent nobody knows."""

    def __init__(self, level: str, known: Sequence[Known], table: CodeTable) -> None:
        self.level = LEVELS[LEVELS.index(level) - 1] if level != LEVELS[0] else None
        self._table = table
        self._width = CODE_WIDTHS[self.level] if self.level else 0
        above = [area for area in known if len(area.code) == self._width]
        self._by_name = {area.name: area.code for area in above}
        self._by_name |= {area.source_code: area.code for area in above if area.source_code}
        self._only = above[0].code if len(above) == 1 else None
        self._invented: dict[str | None, str] = {}
        self._numbers = Numbers([*(area.code for area in known), *table.names])

    def find(self, name: str | None) -> str | None:
        """The parent's code, or None when it is not known."""
        if self.level is None:
            return ""
        if name is None:
            return self._only
        return (
            official_code(name, self.level) or self._by_name.get(name) or self._table.named(name, self._width)
        )

    def code(self, name: str | None) -> str:
        """The parent's code, made up when it is not known: the same for the same name."""
        found = self.find(name)
        if found is not None:
            return found
        if name not in self._invented:
            above = UNASSIGNED_CITY if self._width > len(UNASSIGNED_CITY) else ""
            self._invented[name] = self._numbers.next(above, self._width)
        return self._invented[name]


def parent_width(width: int) -> int:
    """Digits of the level above one of this width; 0 above a city."""
    return max((other for other in (0, *CODE_WIDTHS.values()) if other < width), default=0)


class Numbers:
    """Hands out free codes: the next number inside a parent, above those a real parent may still be given."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._last: dict[tuple[str, int], int] = {}

    def next(self, parent: str, width: int) -> str:
        """A free code of `width` digits that begins with `parent`; zeros fill the levels between.

        Raises Invalid when all numbers of the parent are used up.
        """
        if not parent and UNASSIGNED_CITY not in self._taken:
            self._taken.add(UNASSIGNED_CITY)
            return UNASSIGNED_CITY
        above = max(parent_width(width), len(parent))
        lead, digits = parent.ljust(above, "0"), width - above
        if (lead, width) not in self._last:
            official = width in STATISTICAL and not lead.startswith(UNASSIGNED_CITY[:2])
            listed = official and any(len(c) == width and c.startswith(lead) for c in self._taken)
            self._last[lead, width] = FIRST_INVENTED - 1 if listed else 0
        for number in range(self._last[lead, width] + 1, 10**digits if parent else 0):
            code = lead + str(number).zfill(digits)
            if code not in self._taken:
                self._last[lead, width] = number
                self._taken.add(code)
                return code
        raise Invalid(
            en=f"All numbers inside {lead} are used up." if parent else "A database holds one city.",
            zh=f"{lead} 内的编号已用完。" if parent else "一个数据库只容一座城市。",
            remedy_en="Give the file a column of codes, or load the areas in between first.",
            remedy_zh="请在文件中提供编码列，或先导入中间一级的区划。",
        )


def cell_codes(
    given: Sequence[tuple[str, str]], known: Mapping[str, str], taken: Iterable[str]
) -> list[Coded]:
    """A 15-digit code for each cell of a file, given as (source code, code of the area it lies in or "").

    `known` maps a source code to the code it got in an earlier generation: it keeps it. `taken` are all codes
    in use. Where no area is loaded, made-up communities of 999 cells each take them.
    """
    width = CODE_WIDTHS["cell"]
    coded = [
        Coded(own, "file") if (own := official_code(source, "cell")) else
        Coded(known[source], "loaded") if source in known else None
        for source, _ in given
    ]  # fmt: skip
    numbers = Numbers({*taken, *(code.code for code in coded if code)})
    found: list[Coded] = []
    for nth, (code, (_, area)) in enumerate(zip(coded, given, strict=True)):
        home = area or UNASSIGNED_CITY + str(nth // 999 + 1).zfill(parent_width(width) - len(UNASSIGNED_CITY))
        found.append(code or Coded(numbers.next(home, width), "invented"))
    return found
