"""Which passwords are refused, and that the hash of one is not the password."""

from __future__ import annotations

import pytest

from api.passwords import hash_password, one_time_password, password_faults, verify_password

BAD = {
    "short": "kühl&Zug7",
    "of figures": "1234567890",
    "backwards": "9876543210",
    "of the alphabet": "abcdefghijk",
    "of the keyboard": "qwertyuiop",
    "of one sign": "aaaaaaaaaaaaaaa",
    "of four signs": "aabbccddaabbccdd",
    "a common word": "password2026",
    "a common word in disguise": "P@ssw0rd!!",
    "a common word twice": "admin1admin1",
    "common here": "woaini1314!!",
    "common here too": "一图治城20261125",
    "the product": "CityGrid2026",
    "the name": "zhou.yan-2026",
    "the name backwards": "nay.uohz-2026",
    "the name without its domain": "99zhou.yan99!",
    "endless": "long" * 51,
}


@pytest.mark.parametrize("name", BAD)
def test_a_password_that_is_guessed_first_is_refused_in_both_languages(name):
    faults = password_faults(BAD[name], "zhou.yan@linjiang" if "domain" in name else "zhou.yan")
    assert faults and all(en and zh for en, zh in faults)


@pytest.mark.parametrize(
    "password",
    ["correct horse", "三只黑猫过河去看戏了", "9Kq!vv-2Lm0", "the river at eight", "zh0u likes tea"],
)
def test_length_is_enough(password):
    assert password_faults(password, "zhou.yan") == []


def test_a_password_is_known_again_and_its_hash_tells_nothing():
    kept = hash_password("correct horse")
    assert kept.startswith("$argon2id$") and "correct" not in kept
    assert kept != hash_password("correct horse"), "salted"
    assert verify_password("correct horse", kept)
    assert not verify_password("wrong horse", kept)
    assert not verify_password("correct horse", None)


def test_a_one_time_password_keeps_the_rules_and_is_another_each_time():
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(password_faults(password, "zhou") == [] for password in made)
    assert not set("".join(made)) & set("01lio"), "signs that are confused when read out"
