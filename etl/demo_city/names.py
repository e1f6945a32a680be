"""Invented names of places and people. No real person and no real brand: small lists, mixed by a seed.

A place's stem carries its spelling in Latin letters, so that the English map has names too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Name(NamedTuple):
    """A name in Chinese and in Latin letters."""

    zh: str
    en: str

    def with_suffix(self, suffix: tuple[str, str]) -> Name:
        return Name(self.zh + suffix[0], f"{self.en} {suffix[1]}".strip())


def _words(text: str) -> list[str]:
    return text.split()


CITY = Name("示范市", "Demo City")
DISTRICTS = tuple(
    Name(zh + "区", en + " District")
    for zh, en in (
        ("示范", "Demo"),
        ("城东", "Chengdong"),
        ("城西", "Chengxi"),
        ("江南", "Jiangnan"),
        ("江北", "Jiangbei"),
        ("云湖", "Yunhu"),
        ("金山", "Jinshan"),
        ("新港", "Xingang"),
        ("青溪", "Qingxi"),
        ("望城", "Wangcheng"),
    )
)
RIVER = Name("清溪江", "Qingxi River")
CANAL = Name("后河", "Hou Canal")
MAIN_SUBDISTRICT = Name("临江", "Linjiang")
MAIN_COMMUNITIES = (
    Name("滨江", "Binjiang"),
    Name("安澜", "Anlan"),
    Name("锦绣", "Jinxiu"),
    Name("柳林", "Liulin"),
)
MAIN_ROADS = {
    "first bridge": Name("建设大道", "Jianshe Ave"),
    "first expressway": Name("东环高架", "Donghuan Expy"),
    "first along": Name("民生路", "Minsheng Rd"),
    "north bank": Name("滨江北路", "North Binjiang Rd"),
    "south bank": Name("滨江南路", "South Binjiang Rd"),
}

_STEMS = _words("""
    石桥 Shiqiao  望江 Wangjiang  文昌 Wenchang  紫竹 Zizhu  育才 Yucai  光华 Guanghua  槐荫 Huaiyin
    同福 Tongfu  太平 Taiping  新民 Xinmin  南苑 Nanyuan  杏林 Xinglin  学府 Xuefu  和平 Heping
    曙光 Shuguang  青禾 Qinghe  永康 Yongkang  翠湖 Cuihu  银杏 Yinxing  听涛 Tingtao  明德 Mingde
    金桂 Jingui  仁和 Renhe  长春 Changchun  乐业 Leye  书院 Shuyuan  桂花 Guihua  杏花 Xinghua
    竹园 Zhuyuan  菜场 Caichang  后河 Houhe  迎宾 Yingbin  解放 Jiefang  槐安 Huaian  北苑 Beiyuan
    东风 Dongfeng  梧桐 Wutong  海棠 Haitang  百花 Baihua  丰收 Fengshou  前进 Qianjin  团结 Tuanjie
    友谊 Youyi  中兴 Zhongxing  朝阳 Chaoyang  清泉 Qingquan  鹤鸣 Heming  松涛 Songtao  云栖 Yunxi
    江湾 Jiangwan  白鹭 Bailu  荷塘 Hetang  枫林 Fenglin  兰亭 Lanting
""")
STEMS = tuple(Name(zh, en) for zh, en in zip(_STEMS[::2], _STEMS[1::2], strict=True))
_HEADS = _words("""
    锦 jin  云 yun  清 qing  安 an  福 fu  文 wen  滨 bin  长 chang  新 xin  金 jin  玉 yu  丰 feng
    和 he  泰 tai  永 yong  兴 xing  华 hua  康 kang  宁 ning  瑞 rui  景 jing  明 ming  秀 xiu  翠 cui
    碧 bi  梧 wu  棠 tang  枫 feng  荷 he  嘉 jia  祥 xiang  春 chun  秋 qiu
""")
_TAILS = _words("""
    江 jiang  山 shan  河 he  湖 hu  园 yuan  塘 tang  桥 qiao  泉 quan  林 lin  溪 xi  洲 zhou  浦 pu
    港 gang  城 cheng  阳 yang  亭 ting  台 tai  屏 ping  源 yuan  坪 ping  乐 le  水 shui  岭 ling
    汀 ting  沙 sha  田 tian
""")

ESTATE_SUFFIXES = (
    ("苑", "Court"), ("花园", "Garden"), ("新村", "Village"), ("小区", "Estate"), ("里", "Li"),
    ("家园", "Home"), ("园", "Garden"), ("华庭", "Hall"), ("雅居", "Residence"),
)  # fmt: skip
ROAD_SUFFIXES = {
    "expressway": (("高架", "Expy"),),
    "arterial": (("大道", "Ave"), ("路", "Rd")),
    "secondary": (("路", "Rd"),),
    "local": (("街", "St"), ("巷", "Ln"), ("路", "Rd"), ("街", "St")),
}
PLACE_SUFFIXES = {
    "park": (("公园", "Park"),),
    "school": (("小学", "Primary School"), ("中学", "Middle School"), ("实验学校", "School")),
    "hospital": (("医院", "Hospital"),),
    "civic": (("政务服务中心", "Civic Centre"), ("文化馆", "Culture House"), ("创业园", "Business Park")),
    "commercial": (("城", "Mall"), ("广场", "Plaza"), ("天地", "Place")),
    "factory": (("机械厂", "Machine Works"), ("印刷厂", "Printing Works"), ("食品厂", "Food Works")),
    "village": (("村", "Village"),),
    "lane": (("坊", "Fang"), ("弄", "Lane")),
    "estate": ESTATE_SUFFIXES,
}
NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十")


class Names:
    """Hands out place names, none twice within a kind. The familiar stems go first, then made-up ones."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[str] = {name.zh for name in MAIN_ROADS.values()}

    def place(self, use: str) -> Name:
        """An estate, village, park, school ... of that use."""
        return self._fresh(PLACE_SUFFIXES[use])

    def road(self, kind: str) -> Name:
        """A road of that kind: an expressway, arterial, secondary or local one."""
        return self._fresh(ROAD_SUFFIXES[kind])

    def subdistricts(self, count: int, main: int) -> list[Name]:
        """Stems of all subdistricts; the one numbered `main` has the name everybody sees first."""
        names = [
            stem for stem, _ in zip(self._stems("街道", MAIN_SUBDISTRICT), range(count - 1), strict=False)
        ]
        return [*names[:main], MAIN_SUBDISTRICT, *names[main:]]

    def communities(self, counts: Sequence[int], main: int) -> list[list[Name]]:
        """Stems of the communities of each subdistrict. The main one begins with `MAIN_COMMUNITIES`."""
        names = self._stems("社区", *MAIN_COMMUNITIES)
        result = []
        for subdistrict, count in enumerate(counts):
            own = list(MAIN_COMMUNITIES[:count]) if subdistrict == main else []
            result.append(own + [next(names) for _ in range(count - len(own))])
        return result

    def _stems(self, kind: str, *reserved: Name) -> Iterator[Name]:
        """Stems that no other of the kind has, without end for any city we build."""
        self._used |= {name.zh + kind for name in reserved}
        while True:
            name = self._fresh(((kind, ""),))
            yield Name(name.zh.removesuffix(kind), name.en)

    def _fresh(self, suffixes: Sequence[tuple[str, str]]) -> Name:
        rng = self._rng
        for attempt in range(400):
            suffix = suffixes[int(rng.integers(len(suffixes)))]
            if attempt < 12:
                stem = STEMS[rng.integers(len(STEMS))]
            else:
                head, tail = 2 * rng.integers(len(_HEADS) // 2), 2 * rng.integers(len(_TAILS) // 2)
                stem = Name(_HEADS[head] + _TAILS[tail], (_HEADS[head + 1] + _TAILS[tail + 1]).capitalize())
            if attempt >= 60:
                number = int(rng.integers(len(NUMERALS)))
                stem = Name(stem.zh + NUMERALS[number], f"{stem.en} {number + 1}")
            name = stem.with_suffix(suffix)
            if name.zh not in self._used:
                self._used.add(name.zh)
                return name
        raise AssertionError("the lists of names are too short for this city")


SURNAMES = np.array(list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"))
GIVEN = np.array(
    list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志文海燕晓婷雪佳俊浩宇欣怡梓涵子轩")
)


def people_names(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Random combinations of common surnames and given names; a living namesake would be chance."""
    common = 1 / (np.arange(len(SURNAMES)) + 6.0)
    surname = rng.choice(SURNAMES, count, p=common / common.sum())
    first = rng.choice(GIVEN, count)
    second = np.where(rng.random(count) < 0.75, rng.choice(GIVEN, count), "")
    return np.char.add(np.char.add(surname, first), second).astype(object)


def phones(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Numbers of a range that no operator has: 100 and eight digits."""
    return np.array([f"100{n:08d}" for n in rng.integers(0, 10**8, count)], object)
