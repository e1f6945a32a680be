"""Secrets that must be read again are kept closed, under a key that is not in the database.

The key is a file below `CITYGRID_HOME`, readable by the server's account alone and made when it is first
needed; several servers over one database share it. A thief of the database or of a backup has the closed text
and nothing to open it with.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gis.errors import Unavailable

FILE = "secrets.key"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_MARK = "v1:"


class KeyLost(Unavailable):
    """What is kept was closed under another key."""


class SecretBox:
    """Closes and opens texts with AES-256-GCM. `owner` says whose a text is: closed for one it opens for no
    other, so nobody can put their own secret into somebody else's row."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, text: str, owner: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        closed = self._cipher.encrypt(nonce, text.encode(), owner.encode())
        return _MARK + base64.urlsafe_b64encode(nonce + closed).decode()

    def open(self, kept: str, owner: str) -> str:
        """The text again; one from before there was a box is as it is. Raises KeyLost."""
        if not is_closed(kept):
            return kept
        try:
            data = base64.urlsafe_b64decode(kept.removeprefix(_MARK))
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise KeyLost(
                en=f"This was closed under another key than {FILE} in CITYGRID_HOME.",
                zh=f"保存时用的密钥与 CITYGRID_HOME 中的 {FILE} 不同。",
                remedy_en=f"Put the {FILE} of that time back; or sign in with a recovery code; or an"
                " administrator resets the second factor.",
                remedy_zh=f"请放回当时的 {FILE}；或用恢复码登录；或由管理员重置动态验证码。",
            ) from error


def is_closed(kept: str) -> bool:
    return kept.startswith(_MARK)


def secret_box(home: Path) -> SecretBox:
    """The box under the key in `home`, which is made when there is none. Raises Unavailable for a key that
    cannot be read."""
    path = home / FILE
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise _no_key(path, str(error.strerror)) from error
    if len(key) != _KEY_BYTES:
        raise _no_key(path, f"{len(key)} bytes, not {_KEY_BYTES}")
    return SecretBox(key)


def _make_key(path: Path) -> None:
    """Whole or not at all; of two processes at once the first one's key counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="draft-") as draft:  # readable by us alone
        draft.write(secrets.token_bytes(_KEY_BYTES))
        draft.flush()
        os.fsync(draft.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)


def _no_key(path: Path, reason: str) -> Unavailable:
    return Unavailable(
        en=f"The key {path.name} cannot be used: {reason}.",
        zh=f"密钥 {path.name} 无法使用：{reason}。",
        remedy_en="Let the server's account read and write CITYGRID_HOME, and restore the key from its copy.",
        remedy_zh="请让服务账户能读写 CITYGRID_HOME，并从副本恢复密钥。",
    )
