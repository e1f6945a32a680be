"""Passwords: how they are kept, and which are refused.

The rules follow what guessing programs do: length counts, a twist of a common word does not help, and the
account's own name is tried first. Signs of many kinds are not demanded; people answer that with "Abc123!".
"""

from __future__ import annotations

import re
import secrets
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

MIN_LENGTH = 10
MAX_LENGTH = 200
MIN_DISTINCT = 5
"""Fewer different characters than this is a pattern, however long."""

# OWASP's floor for argon2id. Twice the memory would stop no thief of a good password, but forty sign-ins at
# once must fit into a small server.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))

_COMMON_WORDS = """
password passwort passw0rd p@ssword p@ssw0rd qwerty qwertyuiop qwert asdfgh asdfghjkl zxcvbn zxcvbnm
qazwsx qazwsxedc 1qaz2wsx 1q2w3e 1q2w3e4r 1q2w3e4r5t zaq12wsx abc abcd abcde abcdef abcdefg a1b2c3
iloveyou woaini woaiwojia aini wodemima mima nihao zhongguo beijing shanghai guangzhou shenzhen china
admin administrator root system test testtest guest user demo welcome letmein login master monkey dragon
sunshine princess football baseball superman batman michael jordan computer internet secret changeme
default public office government gov police community wangge shequ jiedao zhengfu citygrid yituzhicheng
一图治城 密码 我爱你 网格员 网格长 社区 街道 中国
5201314 1314520 147258369 147258 258369 123654 112233 11223344 123123 123321 321321 789456 789456123
159357 159753 741852963 963852741 666666 888888 168168 110110 woaini1314 qq123456 a123456 aa123456
"""
COMMON = frozenset(_COMMON_WORDS.split())
"""What is tried first, with whatever figures and signs people put around it."""

_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_LEET = str.maketrans("@$0135!", "asoiesi")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters nobody confuses when a password is read out: no l, 1, i, o, 0."""


def hash_password(password: str) -> str:
    """What is kept of a password: argon2id with a salt of its own."""
    return _HASHER.hash(password)


def verify_password(password: str, kept: str | None) -> bool:
    """Whether it is the password. No hash takes as long as a wrong one: unknown names cannot be told."""
    return _HASHER.verify(password, kept or _hash_of_nobody()) and kept is not None


@cache
def _hash_of_nobody() -> str:
    return hash_password(secrets.token_urlsafe())


def one_time_password() -> str:
    """A password to be read out once and changed at the first sign-in: 59 random bits in three groups."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join(letters[at : at + 4] for at in (0, 4, 8))


def password_faults(password: str, username: str, *more_names: str) -> list[tuple[str, str]]:
    """Every reason (English, Chinese) why this is no password for this account; none when it is good."""
    faults = []
    if len(password) < MIN_LENGTH:
        faults.append(
            (f"the password must have at least {MIN_LENGTH} characters", f"密码至少 {MIN_LENGTH} 个字符")
        )
    if len(password) > MAX_LENGTH:
        faults.append(
            (f"the password must have at most {MAX_LENGTH} characters", f"密码最多 {MAX_LENGTH} 个字符")
        )
    if faults:
        return faults
    plain = password.casefold()
    names = [name.casefold() for name in (username, username.split("@")[0], *more_names) if len(name) > 2]
    if any(name in plain or name[::-1] in plain for name in names):
        faults.append(("the password must not contain the account's name", "密码不能包含用户名"))
    elif _is_common(plain):
        faults.append(("the password is one of those tried first", "密码属于最常见、最先被试的一类"))
    return faults


def _is_common(plain: str) -> bool:
    """A common word with figures and signs around it, a run of the keyboard, or few characters repeated."""
    half = plain[: len(plain) // 2]
    if plain == half * 2:
        return _is_common(half)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    return (
        bool({plain, core, core.translate(_LEET), plain.translate(_LEET)} & COMMON)
        or len(set(plain)) < MIN_DISTINCT
        or any(plain in run or plain in run[::-1] for run in _RUNS)
    )
