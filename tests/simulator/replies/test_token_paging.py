"""Pages by token: every entry once, forwards and backwards, whatever the limit."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.replies.page_tokens import encode_token
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.token_paging import KeyPage, asked, key_page, place_page

URL = "https://api.mailgun.net/v1/things"


def follow(entries: dict[str, str], page: KeyPage, name: str, limit: int) -> KeyPage:
    return key_page(entries, URL, parse_qs(urlsplit(page.paging[name]).query)["page"][0], limit)


@given(st.sets(st.text(max_size=4), max_size=30), st.integers(1, 12))
def test_following_the_pages_shows_every_entry_once_there_and_back(keys: set[str], limit: int) -> None:
    entries = {key: key for key in keys}
    page, there = key_page(entries, URL, None, limit), []
    while page.items:
        there += page.items
        page = follow(entries, page, "next", limit)
    back: list[str] = []
    page = follow(entries, page, "last", limit)
    while page.items:
        back = [*page.items, *back]
        page = follow(entries, page, "previous", limit) if page.items[0] != min(keys) else KeyPage([], {})
    assert there == back == sorted(keys)


def test_what_was_asked_for_stays_in_every_url() -> None:
    page = key_page({"a": "a"}, URL, None, 7, {"selector": "s1"})
    for url in page.paging.values():
        query = parse_qs(urlsplit(url).query)
        assert (query["limit"], query["selector"]) == (["7"], ["s1"])


@given(st.integers(0, 40), st.integers(1, 12))
def test_places_lead_through_the_whole_list(count: int, limit: int) -> None:
    query, seen = asked(None, limit, {"pool": ["x"]}), []
    while True:
        items, paging = place_page(range(count), URL, query)
        seen += items
        if query.skip + limit >= count:
            break
        query = asked(urlsplit(paging["Next"]).query, 1, {})
    assert seen == list(range(count))
    assert query.filters == {"pool": ["x"]}


@pytest.mark.parametrize(
    "values",
    [(-1, 5, {}), (1, -5, {}), (1, 5), ("a", 5, {}), (True, 5, {})],
    ids=["before", "size", "few", "text", "flag"],
)
def test_a_place_that_cannot_be_is_refused(values: tuple[object, ...]) -> None:
    with pytest.raises(ApiError, match="Invalid page token"):
        asked(f"page={encode_token(values)}", 1, {})
