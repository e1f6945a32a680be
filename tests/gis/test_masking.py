"""What is left of a name and of a number."""

from __future__ import annotations

import pytest

from gis.masking import mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王××"), ("李华", "李×"), ("欧阳小明", "欧×××"), ("甲", "甲×"), ("", ""),
        ("阿卜杜拉·买买提", "阿×××"),
    ],
)  # fmt: skip
def test_a_name_keeps_its_first_sign_and_not_its_length(name, shown):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"), [("10012345678", "100****5678"), ("8812", "****12"), (None, None)]
)
def test_a_number_keeps_its_ends(phone, shown):
    assert mask_phone(phone) == shown
