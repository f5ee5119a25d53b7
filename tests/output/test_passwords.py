"""Passwords that the server makes where the model says `generate`."""

import random
from typing import Any

import pytest

from mailgun_mcp.output.passwords import ALPHABET, KINDS, LENGTH, fill, generate
from tests.support.operations import find

choose = random.Random(7).choice


def test_a_password_fits_mailgun_and_holds_every_kind_of_character() -> None:
    made = [generate(choose) for _ in range(200)]
    assert {len(password) for password in made} == {LENGTH}
    assert 5 <= LENGTH <= 32
    assert all(set(password) <= set(ALPHABET) for password in made)
    assert all(set(password) & set(kind) for password in made for kind in KINDS)
    assert len(set(made)) == 200


@pytest.mark.parametrize(
    ("tool", "arguments", "places"),
    [
        pytest.param("update_smtp_credential", {"login": "generate", "password": "generate"}, ["/password"], id="one"),
        pytest.param(
            "create_smtp_credentials",
            {"password": ["generate", "my own", "generate"]},
            ["/password/0", "/password/2"],
            id="list",
        ),
        pytest.param(
            "create_domain", {"domain": "x.example.com", "smtp_password": "generate"}, ["/smtp_password"], id="domain"
        ),
    ],
)
def test_each_secret_argument_that_says_generate_gets_its_own(
    tool: str, arguments: dict[str, Any], places: list[str]
) -> None:
    given = {**arguments}
    filled, generated = fill(find(tool), arguments, choose)
    assert list(generated) == places
    assert len(set(generated.values())) == len(places)
    for place, password in generated.items():
        name, _, index = place.strip("/").partition("/")
        assert password == (filled[name][int(index)] if index else filled[name])
    untouched = [name for name in arguments if not any(place.startswith(f"/{name}") for place in places)]
    assert {name: filled[name] for name in untouched} == {name: arguments[name] for name in untouched}
    assert arguments == given


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        pytest.param("update_smtp_credential", {"password": "generated"}, id="another-word"),
        pytest.param("create_domain_key", {"pem": "generate"}, id="a-private-key"),
        pytest.param("create_domain", {"domain": "generate"}, id="an-argument-that-is-not-secret"),
        pytest.param("send_message", {"text": "generate"}, id="no-secret-arguments"),
    ],
)
def test_nothing_else_is_made_up(tool: str, arguments: dict[str, Any]) -> None:
    assert fill(find(tool), arguments, choose) == (arguments, {})
