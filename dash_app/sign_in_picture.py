"""The city beside the sign-in form, drawn here: nothing of the real one is shown before signing in."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup


@lru_cache(maxsize=1)
def sign_in_picture() -> Markup:
    return Markup('<svg viewBox="0 0 960 900" preserveAspectRatio="xMidYMid slice" aria-hidden="true"></svg>')
