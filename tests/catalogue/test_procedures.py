"""Procedures, narrowed to the tools that a model has."""

import re

import pytest

from mailgun_mcp.catalogue.builtin_tools import offered
from mailgun_mcp.catalogue.presets import PRESETS, tools_of_presets
from mailgun_mcp.catalogue.procedures import TOOL, Tools, compiled_procedures, narrowed, tools_offered
from tests.support.operations import catalogue

BODY = """\
Clean up.

1. Read `list_bounces`.
   It has pages.
2. Remove one with `delete_bounce`.
   Ask first.
   Check it with `get_bounce`.
3. Sort them:
   - full: see `get_bounce`
   - gone: keep
4. Empty it with `clear_bounces`:
   - all of it
   - at once
5. Report.

The end, with `delete_bounce`.
"""


def having(*names: str) -> Tools:
    every = every_tool()
    return {name: every[name] for name in names}


def every_tool() -> Tools:
    return tools_offered(catalogue(), offered(catalogue()))


def test_with_all_tools_the_whole_text_stays_and_its_lines_are_joined() -> None:
    text, missing = narrowed(BODY, every_tool())
    assert missing == []
    assert text.startswith(
        "Clean up.\n\n1. Read `list_bounces`. It has pages.\n"
        "2. Remove one with `delete_bounce`. Ask first. Check it with `get_bounce`.\n3. Sort them:\n   - full: see"
    )
    assert text.endswith("5. Report.\n\nThe end, with `delete_bounce`.")


def test_a_sentence_with_a_missing_tool_is_left_out_with_those_that_belong_to_it() -> None:
    text, missing = narrowed(BODY, having("list_bounces", "get_bounce"))
    assert text == (
        "Clean up.\n\n1. Read `list_bounces`. It has pages.\n2. Check it with `get_bounce`.\n3. Sort them:\n"
        "   - full: see `get_bounce`\n   - gone: keep\n4. Report."
    )
    assert missing == ["delete_bounce", "clear_bounces"]


def test_a_text_says_in_words_what_a_person_has_to_do_elsewhere() -> None:
    procedure = compiled_procedures()["clean_suppressions"]
    text = procedure.text(having("list_bounces", "list_complaints", "list_unsubscribes"), {"domain": "a.example"})
    assert "This server does not offer these tools, so a person does such steps elsewhere: " in text
    assert "Plan a suppression clean-up" in text
    assert not set(TOOL.findall(text)) - {"list_bounces", "list_complaints", "list_unsubscribes"}


def test_undo_is_named_where_something_changes_and_can_be_undone() -> None:
    procedure = compiled_procedures()["clean_suppressions"]
    assert "`undo_operation`" in procedure.text(every_tool(), {"domain": "a.example"})
    without = {name: tool for name, tool in every_tool().items() if name != "undo_operation"}
    assert "undo_operation" not in procedure.text(without, {"domain": "a.example"})
    assert "undo_operation" not in compiled_procedures()["weekly_report"].text(every_tool(), {})


def test_values_are_filled_in_one_pass() -> None:
    procedure = compiled_procedures()["diagnose_delivery"]
    text = procedure.text(every_tool(), {"domain": "{recipient}", "recipient": ""})
    assert text.startswith("Find out why mail from {recipient} does not arrive. Recipient: (not given).")


@pytest.mark.parametrize("preset", PRESETS)
def test_with_any_preset_a_procedure_names_only_what_is_offered(preset: str) -> None:
    chosen = catalogue().select(tools=tools_of_presets([preset], catalogue()))
    has = tools_offered(chosen, offered(chosen))
    for procedure in compiled_procedures().values():
        if procedure.is_offered(has):
            text = procedure.text(has, {})
            assert set(TOOL.findall(text)) <= has.keys(), procedure.name
            numbers = [int(number) for number in re.findall(r"^(\d+)\.", text, re.MULTILINE)]
            assert numbers == list(range(1, len(numbers) + 1)), procedure.name


def test_every_changing_step_is_a_persons_decision_and_no_text_shouts() -> None:
    for procedure in compiled_procedures().values():
        assert not re.search(r"\b(IMPORTANT|MUST|NEVER|ALWAYS|CRITICAL)\b", procedure.body), procedure.name
