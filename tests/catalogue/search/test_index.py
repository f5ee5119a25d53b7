"""Tools are found by what people ask for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.search.recall import TUNED, read_questions, recall
from mailgun_mcp.catalogue.compile.compiler import SOURCES
from mailgun_mcp.catalogue.openapi.documents import read_document
from mailgun_mcp.catalogue.search.index import SearchIndex, compiled_index
from mailgun_mcp.catalogue.search.thesaurus import Thesaurus
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from tests.support.operations import catalogue

MOST_MISPLACED = 0.04
"""Share of the phrases that may find another tool first and second."""
LEAST_RECALL = 0.92
"""Share of the questions in `benchmarks/search/questions-tuned.tsv`, in all languages, whose tool is among five."""


def best(query: str, count: int = 5) -> list[str]:
    return [name for name, _ in compiled_index().rank(query)[:count]]


@pytest.mark.parametrize(
    ("query", "tool"),
    [
        ("which DNS records do I need", "get_domain"),
        ("why did mail to kim@example.org bounce?", "query_logs"),
        ("set up inbound forwarding", "create_route"),
        ("delte a domian", "delete_domain"),
        ("borrar una plantilla", "delete_template"),
        ("warum kam die Mail an kim nicht an", "query_logs"),
        ("ドメインを削除", "delete_domain"),
    ],
)
def test_a_question_finds_its_tool_among_five(query: str, tool: str) -> None:
    assert tool in best(query)


@pytest.mark.parametrize("who", ["ann", "bob", "kim@example.org", "john.smith@deliveries.example"])
def test_why_one_mail_bounced_is_explained_before_bounces_are_counted(who: str) -> None:
    assert best(f"why did the mail to {who} bounce")[0] == "explain_delivery"


def test_a_tool_that_mailgun_replaced_comes_after_one_with_the_same_words() -> None:
    fields = {"title": "List things", "description": "Lists the things of an account"}
    index = SearchIndex.build({"a": {**fields, "replaced": "b"}, "b": fields}, Thesaurus.build({}))
    assert [name for name, _ in index.rank("things")] == ["b", "a"]


@pytest.mark.slow
def test_each_phrase_finds_its_own_tool() -> None:
    misplaced, phrases = [], 0
    for path in sorted(SOURCES.glob("*.yaml")):
        for item in read_document(path)["paths"].values():
            for operation in item.values():
                if "operationId" in operation:
                    for phrase in operation["x-mailgun-mcp"]["asked"]:
                        phrases += 1
                        if operation["operationId"] not in best(phrase, 2):
                            misplaced.append((operation["operationId"], phrase, best(phrase, 2)))
    assert len(misplaced) <= MOST_MISPLACED * phrases, misplaced


def test_the_questions_of_the_benchmark_name_tools_that_there_are() -> None:
    unknown = {tool for question in read_questions() for tool in question.tools} - set(catalogue().names)
    assert not unknown


def test_most_questions_that_the_search_was_improved_with_find_a_tool_among_five() -> None:
    tuned = [question for question in read_questions() if question.half == TUNED]
    positions = [question.position([name for name, _ in compiled_index().rank(question.text)]) for question in tuned]
    assert recall(positions, 5) >= LEAST_RECALL


def test_only_the_tools_among_which_is_asked_are_ranked() -> None:
    names = {"get_bounce", "delete_bounce"}
    assert {name for name, _ in compiled_index().rank("bounces", names)} == names
    assert compiled_index().rank("bounces", set()) == []


@given(st.text(max_size=60))
def test_any_text_can_be_asked(query: str) -> None:
    ranked = compiled_index().rank(query)
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)
    assert {name for name, _ in ranked} <= {*catalogue().names, *WORKFLOW_TOOLS}


def test_the_compiled_index_knows_every_tool() -> None:
    assert set(compiled_index().names) == {*catalogue().names, *WORKFLOW_TOOLS}


def test_a_record_gives_the_same_index() -> None:
    index = SearchIndex.build({"a": {"name": "get_bounce"}, "b": {"name": "delete_domain"}}, Thesaurus.build({}))
    again = SearchIndex.from_record(json.loads(json.dumps(index.to_record())))
    assert [name for name, _ in again.rank("bounces")] == [name for name, _ in index.rank("bounces")] == ["a"]


def test_more_tools_are_found_beside_those_of_the_index() -> None:
    extended = compiled_index().extended({"list_faxes": {"name": "list_faxes", "title": "List faxes"}})
    assert extended.rank("which faxes came")[0][0] == "list_faxes"
    assert best("which DNS records do I need")[0] == extended.rank("which DNS records do I need")[0][0]
    assert compiled_index().extended({}) is compiled_index()
