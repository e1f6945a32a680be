"""The pages of retention and of a person's rights, as they are written on the server."""

from __future__ import annotations

import pytest

from dash_app.pages.privacy_page import privacy_page
from dash_app.pages.settings_page import settings_page
from gis.errors import Denied
from gis.forgetting import KINDS


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_holds_nobody_and_offers_what_the_role_may(office, language):
    with office.at("officer", language=language):
        page = privacy_page(office.desk)
    assert "张明明" not in page and "10012345678" not in page
    assert '"erases": true' in page and '"tags"' in page
    with office.at("admin", language=language):
        page = privacy_page(office.desk)
    assert '"erases": false' in page and '"correctable": []' in page


@pytest.mark.parametrize("who", ["community", "inspector"])
def test_others_do_not_open_it(office, who):
    with office.at(who), pytest.raises(Denied):
        privacy_page(office.desk)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_administrator_sees_every_rule_with_what_is_due_and_a_form_with_its_bounds(office, language):
    with office.at("admin", language=language):
        page = settings_page(office.desk, "section=retention")
    for kind, one in KINDS.items():
        assert f'data-kind="{kind}"' in page and f'data-url="/api/v1/settings/retention/{kind}"' in page
        assert one.basis[0 if language == "zh" else 1] in page
    assert 'min="1095"' in page


def test_others_see_no_numbers_of_it(office):
    with office.at("officer"):
        page = settings_page(office.desk, "section=retention")
    assert "data-kind" not in page and "系统管理员" in page
