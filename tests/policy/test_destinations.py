"""Where a call would send data."""

from time import process_time

import pytest

from mailgun_mcp.policy.destinations import UNREAD_FILE, destinations_of
from tests.support.operations import find


@pytest.mark.parametrize(
    ("action", "places"),
    [
        ('forward("https://a.example/x?ids=1,2;3")', ["a.example"]),
        ('forward("https://a.example/,b@c.example")', ["a.example", "b@c.example"]),
        ('forward("https://a.example/;http://b.example/")', ["a.example", "b.example"]),
        ('forward("x@a.example,https://b.example/,y@c.example")', ["b.example", "x@a.example", "y@c.example"]),
        ('store(notify="https://a.example/,https://b.example/")', ["a.example", "b.example"]),
    ],
)
def test_each_target_of_an_action_counts(action: str, places: list[str]) -> None:
    faults: list[str] = []
    assert list(destinations_of(find("create_route"), {"action": [action]}, faults)) == places
    assert faults == []


def test_a_file_of_members_is_a_place_that_nobody_read() -> None:
    assert list(destinations_of(find("import_mailing_list_members"), {"members": {"text": "x"}}, [])) == [UNREAD_FILE]


@pytest.mark.parametrize("url", ["https://user:pw@a.example/x@y?to=b@c.example#d@e", "https://a.example?b=c"])
def test_an_at_sign_after_the_host_changes_nothing(url: str) -> None:
    faults: list[str] = []
    assert list(destinations_of(find("create_account_webhook"), {"url": url}, faults)) == ["a.example"]
    assert faults == []


@pytest.mark.parametrize("sign", ["#", "@", ",", ",x@", ";http://", "\\"])
def test_long_actions_are_read_in_linear_time(sign: str) -> None:
    def seconds(length: int) -> float:
        action = f'forward("https://a.example{sign * length}")'
        start = process_time()
        list(destinations_of(find("create_route"), {"action": [action]}, []))
        return process_time() - start

    seconds(100)
    assert seconds(40_000) < 1 + 16 * seconds(4_000)
