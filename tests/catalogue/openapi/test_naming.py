"""Names for tools whose document gives none that can be used."""

import re

import pytest

from mailgun_mcp.catalogue.openapi.naming import LONGEST, NAME, RESERVED, tool_name


@pytest.mark.parametrize(
    ("method", "path", "summary", "operation_id", "expected"),
    [
        pytest.param("GET", "/a", "List the pets", "find_pets", "find_pets", id="an operationId that is a tool name"),
        pytest.param("GET", "/a", "List the pets", "findPets", "list_pets", id="an operationId in another style"),
        pytest.param("GET", "/a", "Lists pets", None, "list_pets", id="a verb in the third person"),
        pytest.param("DELETE", "/a", "A pet", None, "delete_pet", id="a summary without a verb"),
        pytest.param("PUT", "/v1/pets/{id}/owner", "", None, "update_v1_pets_owner", id="no summary"),
        pytest.param("POST", "/{id}", "", None, "create", id="nothing but a method"),
        pytest.param("GET", "/a", "Get the Straße's café", None, "get_strasses_cafe", id="letters beyond ASCII"),
    ],
)
def test_a_name_is_a_verb_and_a_noun(method: str, path: str, summary: str, operation_id: object, expected: str) -> None:
    assert tool_name(method, path, summary, operation_id, ()) == expected


def test_a_name_that_is_taken_gives_way_to_the_path_and_then_to_a_number() -> None:
    taken: list[str] = []
    for _ in range(4):
        taken.append(tool_name("GET", "/animals", "List pets", None, taken))
    assert taken == ["list_pets", "get_animals", "list_pets_2", "list_pets_3"]


def test_the_server_keeps_its_own_names() -> None:
    names = {tool_name("GET", "/x", "", name, ()) for name in RESERVED}
    assert names == {"get_x"}


def test_a_long_name_is_cut_at_a_word_that_can_end_it() -> None:
    name = tool_name("GET", "/a", "Get the statistics of every recipient domain for the account of somebody", None, ())
    assert (len(name) <= LONGEST, NAME.fullmatch(name) is not None) == (True, True)
    assert name == "get_statistics_of_every_recipient_domain"


def test_a_long_name_that_is_taken_has_room_for_its_number() -> None:
    summary = f"Get {'x' * 60}"
    first = tool_name("GET", "/a", summary, None, ())
    second = tool_name("GET", "/a", summary, None, (first, "get_a"))
    assert (len(first), len(second)) == (LONGEST, LONGEST)
    assert re.fullmatch(r"get_x+_2", second)
