"""The keys of an incident are checked, and each is described for the documentation."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

import mailgun_mcp
from mailgun_mcp.simulator.worlds.incidents import BadList, Blocklisting
from mailgun_mcp.simulator.worlds.scenario import Scenario, json_schema, shipped_names
from mailgun_mcp.text.yaml import read


def test_an_incident_has_hours_and_a_domain() -> None:
    incident = Blocklisting(kind="blocklisting", domain="mail.example.com")
    assert (incident.hours, incident.provider) == (24, "outlook.com")


@pytest.mark.parametrize("wrong", [{"hours": 0}, {"rate": 2}, {"list_address": "nobody"}, {"colour": "red"}])
def test_wrong_keys_and_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BadList.model_validate({"kind": "bad_list", "domain": "a.example", "list_address": "l@a.example", **wrong})


def test_throttling_needs_an_ip_that_is_warmed_up() -> None:
    incident = {"kind": "throttling", "domain": "a.example"}
    with pytest.raises(ValidationError, match="give the domain an ip"):
        Scenario.model_validate({"domains": [{"name": "a.example"}], "incidents": [incident]})


def test_the_schema_in_the_docs_is_up_to_date() -> None:
    text = (Path(mailgun_mcp.__file__).parents[1] / "docs" / "scenario.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(json_schema()))


def test_the_shipped_scenarios_follow_the_schema() -> None:
    validator = Draft202012Validator(json_schema())
    directory = Path(mailgun_mcp.__file__).parent / "_data" / "scenarios"
    documents = {name: read((directory / f"{name}.yaml").read_text(encoding="utf-8")).value for name in shipped_names()}
    assert {name: [fault.message for fault in validator.iter_errors(value)] for name, value in documents.items()} == {
        name: [] for name in documents
    }


def test_every_key_of_a_scenario_is_described() -> None:
    parts = {"Scenario": json_schema(), **json_schema()["$defs"]}
    missing = [
        f"{part}.{key}"
        for part, schema in parts.items()
        for key, value in schema["properties"].items()
        if not value.get("description") and key != "kind"
    ]
    assert missing == []
