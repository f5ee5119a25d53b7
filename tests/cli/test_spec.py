"""`spec diff`: an OpenAPI file beside the catalogue."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from tests.cli.conftest import Command

NEW = "/v3/moon/landings"


def written(directory: Path, **parts: Any) -> str:
    path = directory / "spec.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, **parts}), encoding="utf-8")
    return str(path)


def test_what_is_new_and_gone_is_printed_and_is_a_failure(tmp_path: Path, mailgun_mcp: Command) -> None:
    operation = {"get": {"operationId": "listLandings", "summary": "x", "responses": {"200": {"description": "ok"}}}}
    done = mailgun_mcp("spec", "diff", written(tmp_path, paths={NEW: operation}))
    assert (done.returncode, done.stderr) == (exits.FAILED, "")
    assert f"+ GET {NEW}" in done.stdout
    assert done.stdout.splitlines()[-1] == f"1 new, {len(Catalogue.load())} gone, 0 changed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("{", "spec.json", id="not-json"),
        pytest.param('{"swagger": "2.0"}', "spec.json", id="not-openapi-3"),
    ],
)
def test_a_file_that_is_no_openapi_3_is_refused(
    text: str | None, message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (home / "spec.json").write_text(text, encoding="utf-8")
    assert run(["spec", "diff", str(home / "spec.json")]) == exits.USAGE
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)


@pytest.mark.slow
def test_what_the_catalogue_was_compiled_from_does_not_differ(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spec", "diff", written(home, **whole_catalogue())]) == exits.OK
    assert capsys.readouterr().out == "No differences.\n"


def whole_catalogue() -> dict[str, Any]:
    """Return the sources of the catalogue as one document, each with its components in a place of its own."""
    document: dict[str, Any] = {"paths": {}}
    for source in sorted((Path(__file__).parents[2] / "tools").glob("*.yaml")):
        place = f"x-{source.stem}"
        text = source.read_text(encoding="utf-8").replace("#/components/", f"#/{place}/")
        # Nine times as fast as the loader in Python.
        part = yaml.load(text, yaml.CSafeLoader)
        document[place] = part.get("components", {})
        for path, item in part["paths"].items():
            document["paths"].setdefault(path, {}).update(item)
    return document
