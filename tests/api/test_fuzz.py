"""A short run of what `benchmarks/fuzz.py` does at length: whatever comes in, no fault of ours comes out."""

from __future__ import annotations

import pytest

pytest.importorskip("schemathesis", reason="a development dependency")

from schemathesis import GenerationMode

from benchmarks.fuzz import fuzz


def test_bad_input_everywhere_is_refused_in_words(api):
    found = fuzz(
        api.url,
        api.token,
        per_operation=3,
        modes=(GenerationMode.NEGATIVE,),
        people=("admin", "officer", "member", None),
    )
    assert found.faults == []
    assert found.sent > 120
    assert found.statuses[422] > 30
