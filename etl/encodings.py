"""Which encoding a file's text is in: declared, or one of the two that Chinese files use, or refused.

UTF-8 proves itself: text of another encoding almost never decodes as it. GB18030 decodes nearly anything, so
what comes out must also look like Chinese. Nothing else is guessed: the operator names it.
"""

from __future__ import annotations

import codecs
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from gis.errors import Invalid

SAMPLE_BYTES = 4_000_000
"""Read to decide; the rest is decoded strictly with what was decided."""
CHINESE_SHARE = 0.9
"""Of the characters beyond ASCII, at least so many must be ones that Chinese text uses."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def known_encoding(name: str) -> str:
    """Python's name of a declared encoding (GBK and GB2312 are read as GB18030, their superset).

    Raises Invalid when there is no such encoding.
    """
    wanted = name.strip().lower()
    if wanted.isdigit():
        wanted = {"936": "gb18030", "54936": "gb18030", "65001": "utf-8"}.get(wanted, "cp" + wanted)
    try:
        found = codecs.lookup(wanted).name
    except LookupError:
        raise Invalid(
            en=f"There is no text encoding {name!r}.",
            zh=f"没有名为 {name!r} 的文字编码。",
            remedy_en="Use --encoding UTF-8 or --encoding GB18030.",
            remedy_zh="请用 --encoding UTF-8 或 --encoding GB18030。",
        ) from None
    return "gb18030" if found in ("gbk", "gb2312", "hz") else found


def text_encoding(path: Path, declared: str | None) -> str:
    """The encoding of a text file: its byte-order mark, what is declared, UTF-8, or GB18030 that reads well.

    Raises Invalid when the text is none of these, or not what was declared.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
        whole = not file.read(1)
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if b"\x00" in sample:
        raise Invalid(
            en=f"{path.name} is not text: it holds zero bytes.",
            zh=f"{path.name} 不是文本：其中有零字节。",
            remedy_en="Save it as CSV in UTF-8, or as .xlsx.",
            remedy_zh="请另存为 UTF-8 的 CSV，或 .xlsx。",
        )
    return _decide([sample], declared and known_encoding(declared), path.name, cut=not whole)


def dbf_encoding(path: Path, declared: str | None, cpg: str | None) -> tuple[str, bool]:
    """(encoding, guessed) of a shapefile's attribute table.

    `declared` is the operator's word, `cpg` the content of the .cpg beside it. A .cpg that is contradicted by
    the bytes raises Invalid and names the encoding they are in: what it says elsewhere would be wrong too.
    """
    said = declared or cpg
    return _decide(dbf_texts(path), said and known_encoding(said), path.name), not said


def dbf_texts(path: Path) -> Iterator[bytes]:
    """The raw text of a .dbf: its field names and every character value, without the padding.

    A name is cut at 10 bytes and a value at its width, in the middle of a character if need be; `_decodes`
    forgives that.
    """
    with path.open("rb") as file:
        header = file.read(32)
        if len(header) < 32:
            return
        count, header_length, record_length = struct.unpack("<IHH", header[4:12])
        fields = file.read(max(header_length - 32, 0))
        spans, at = [], 1
        for start in range(0, len(fields) - 31, 32):
            name, kind, width = (
                fields[start : start + 11],
                fields[start + 11 : start + 12],
                fields[start + 16],
            )
            if name[:1] == b"\r":
                break
            yield name.split(b"\x00")[0]
            if kind == b"C":
                spans.append((at, at + width))
            at += width
        for _ in range(min(count, SAMPLE_BYTES // max(record_length, 1) + 1)):
            record = file.read(record_length)
            for begin, end in spans:
                yield record[begin:end].rstrip(b" \x00")


def _decide(texts: Iterable[bytes], declared: str | None, name: str, *, cut: bool = True) -> str:
    """The declared encoding when the bytes are in it, else UTF-8, else Chinese GB18030; else Invalid."""
    pieces = [text for text in texts if not text.isascii()]
    actual = next((code for code in ("utf-8", "gb18030") if _decodes(pieces, code, cut)), None)
    if declared is None and actual is not None:
        return actual
    if declared is not None and (not pieces or _decodes(pieces, declared, cut, chinese=False)):
        return declared
    if declared is None:
        raise Invalid(
            en=f"The text of {name} is neither UTF-8 nor GB18030.",
            zh=f"{name} 的文字既不是 UTF-8，也不是 GB18030。",
            remedy_en="Name its encoding: --encoding NAME.",
            remedy_zh="请指明编码：--encoding 名称。",
        )
    hint = actual or "?"
    raise Invalid(
        en=f"The text of {name} is not {declared}" + (f"; it reads well as {hint}." if actual else "."),
        zh=f"{name} 的文字不是 {declared}" + (f"，按 {hint} 可以读通。" if actual else "。"),
        remedy_en=f"Load it with --encoding {hint}, and correct its .cpg file."
        if actual
        else "Name the right one.",
        remedy_zh=f"请用 --encoding {hint} 导入，并更正其 .cpg 文件。" if actual else "请指明正确的编码。",
        encoding=actual,
    )


def _decodes(texts: list[bytes], encoding: str, cut: bool, *, chinese: bool = True) -> bool:
    """Whether all `texts` are in `encoding`; a character cut off at the end is forgiven when `cut`."""
    beyond = likely = 0
    for text in texts:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            decoded = decoder.decode(text, final=not cut)
        except UnicodeDecodeError:
            return False
        for character in decoded:
            if character > "\x7f":
                beyond += 1
                likely += _chinese(character)
    return encoding == "utf-8" or not chinese or not beyond or likely >= CHINESE_SHARE * beyond


def _chinese(character: str) -> bool:
    """Whether ordinary Chinese text uses the character: common ideographs, its punctuation, full width."""
    return (
        "一" <= character <= "鿿"
        or "　" <= character <= "〿"
        or "＀" <= character <= "￯"
        or unicodedata.category(character).startswith("P")
    )
