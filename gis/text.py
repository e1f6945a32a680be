"""Text from outside: what PostgreSQL can keep of it, and what of it is words at all."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters but tab and line feed, and those that turn the direction of what stands around them: a
screen shows none of them, and one in a title would garble the whole row it is listed in. NUL is not among
them: it is refused, because no keyboard sends it."""
_SHOWS_NOTHING = ("Cf", "Mn", "Me", "Zs")
"""Unicode's categories of what only changes its neighbours, or is a gap between them."""
_NEW_LINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def can_be_kept(text: str) -> bool:
    """Whether PostgreSQL takes it: no NUL, and no half of a surrogate pair, which JSON can smuggle in."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def words_of(text: str) -> str:
    """The text without what cannot be seen, its lines ended alike, nothing around it; "" where none shows.

    Joiners within it stay: emoji and many scripts are written with them. So does what `can_be_kept` refuses.
    """
    clean = _UNSEEN.sub("", _NEW_LINE.sub("\n", text)).strip()
    seen = any(not sign.isspace() and unicodedata.category(sign) not in _SHOWS_NOTHING for sign in clean)
    return clean if seen else ""


def line_of(text: str) -> str:
    """As `words_of`, on one line."""
    return " ".join(words_of(text).split())
