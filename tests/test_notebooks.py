"""The notebooks run from top to bottom on a city, and import the front door alone."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests import toy_city

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_of(path: Path) -> list[str]:
    content = json.loads(path.read_text("utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_a_city(path, database, monkeypatch):
    monkeypatch.setenv("CITYGRID_DATABASE_URL", database.url)
    with database.system_work() as session:
        toy_city.build(session)
    names: dict[str, object] = {}
    for code in code_of(path):
        exec(compile(code, path.name, "exec"), names)
    names["city"].database.dispose()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_the_front_door_alone_and_keeps_no_output(path):
    imported = {
        alias.name
        for code in code_of(path)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {"citygrid"}
    content = json.loads(path.read_text("utf-8"))
    assert all(not cell.get("outputs") for cell in content["cells"])
