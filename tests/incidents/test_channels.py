"""Who may say that a report came in by which channel."""

from __future__ import annotations

import pytest

from api.auth import ROLES
from gis.errors import Denied
from incidents.channels import channel_for, channels_open_to
from incidents.incident import CHANNELS


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reports_by_some_channel_and_only_by_known_ones(role):
    allowed = channels_open_to(role)
    assert allowed and set(allowed) <= set(CHANNELS)
    assert channel_for(role, None) == allowed[0]
    for channel in CHANNELS:
        if channel in allowed:
            assert channel_for(role, channel) == channel
        else:
            with pytest.raises(Denied):
                channel_for(role, channel)


def test_a_resident_never_reports_past_the_confirmation():
    """Only the force and the desk's own channel skip `confirm` (decision 11)."""
    assert channels_open_to("resident") == ("resident",)
