"""Pages: each item exactly once, whatever the limit, in both directions."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.replies.paging import PivotPage, PivotQuery, Token, pivot_page, skip_page, tokens, window
from mailgun_mcp.simulator.replies.reply import ApiError

URL = "https://api.mailgun.net/v3/x.example/bounces"
addresses = st.sets(st.text("abc@.+%é ", min_size=1, max_size=6), max_size=30)
limits = st.integers(1, 12)


def asked(entries: dict[str, str], url: str) -> PivotPage:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return pivot_page(entries, PivotQuery(URL, query.get("page"), query.get("address"), int(query["limit"])))


def walked(entries: dict[str, str], limit: int, start: str, link: str) -> list[list[str]]:
    """Follow the URLs from the page `start` by `link` until a page shows nothing."""
    pages, page = [], asked(entries, f"{URL}?page={start}&limit={limit}")
    while page.items:
        pages.append(page.items)
        page = asked(entries, page.paging[link])
    return pages


@given(addresses, limits)
def test_pivot_pages_show_each_item_once_going_forward(names: set[str], limit: int) -> None:
    pages = walked({name: name for name in names}, limit, "first", "next")
    assert [item for page in pages for item in page] == sorted(names)
    assert all(len(page) == limit for page in pages[:-1])


@given(addresses, limits)
def test_pivot_pages_show_each_item_once_going_back(names: set[str], limit: int) -> None:
    pages = walked({name: name for name in names}, limit, "last", "previous")
    assert [item for page in reversed(pages) for item in page] == sorted(names)


@given(addresses, limits, st.data())
def test_items_that_go_between_two_pages_move_no_other(names: set[str], limit: int, data: st.DataObject) -> None:
    page = asked({name: name for name in names}, f"{URL}?page=first&limit={limit}")
    gone = set(data.draw(st.lists(st.sampled_from(page.items)))) if page.items else set()
    rest = sorted(names - set(page.items))
    if rest:
        following = asked({name: name for name in names - gone}, page.paging["next"])
        assert following.items == rest[:limit]


@given(st.lists(st.integers()), limits)
def test_skip_pages_show_each_item_once(items: list[int], limit: int) -> None:
    pages = [skip_page(items, skip, limit) for skip in range(0, len(items), limit)]
    assert [item for page in pages for item in page] == items


positions = st.sets(st.tuples(st.floats(0, 10), st.integers(0, 3)), max_size=25)


@given(positions, limits, st.booleans())
def test_token_pages_show_each_item_once(places: set[tuple[float, int]], limit: int, forward: bool) -> None:
    keys = sorted(places)
    start, link = ("first", "next") if forward else ("last", "previous")
    token, pages = Token(start, None, {"limit": limit}), []
    while shown := keys[window(keys, token.page, token.pivot, limit)]:
        pages.append(shown)
        token = Token.decoded(tokens(token.query, token, shown)[link])
    in_order = pages if forward else pages[::-1]
    assert [key for page in in_order for key in page] == keys


def test_an_empty_page_keeps_its_place_so_that_polling_finds_what_comes() -> None:
    keys = [(1.0, 1), (2.0, 2)]
    end = Token("next", (2.0, 2), {})
    again = Token.decoded(tokens({}, end, keys[window(keys, end.page, end.pivot, 5)])["next"])
    keys.append((3.0, 3))
    assert keys[window(keys, again.page, again.pivot, 5)] == [(3.0, 3)]


@pytest.mark.parametrize("text", ["", "%%%", "bm90IGpzb24", "WzEsMiwzXQ", "é"])
def test_a_token_that_nobody_gave_out_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        Token.decoded(text)
    assert refused.value.reply.status_code == 400
