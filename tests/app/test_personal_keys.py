"""People's own keys, as the settings of a server allow them."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.app.personal_keys import OWN_ENDPOINT
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import NotSentError, SettingsError
from mailgun_mcp.output.logs import redactor
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state
from tests.support.own_keys import ANN, ANNS, BY_ANN, SECRET

pytestmark = pytest.mark.anyio


def services(**options: Any) -> Services:
    return opened(create_services(Settings(**{"transport": "http", "state": str(own_state()), **options})))


def test_without_a_secret_or_over_stdio_nobody_stores_keys() -> None:
    assert services(api_key="key").personal is None
    assert services(api_key="key", transport="stdio", personal_keys_secret=SECRET).personal is None
    assert services(api_key="key", personal_keys_secret=SECRET).personal is not None


def test_a_server_whose_people_bring_keys_needs_none() -> None:
    assert services(personal_keys_secret=SECRET).without_account
    assert not services(api_key="key", personal_keys_secret=SECRET).without_account
    with pytest.raises(SettingsError, match="no API key"):
        services()


async def test_such_a_server_sends_nothing_with_a_key_of_its_own() -> None:
    made = services(personal_keys_secret=SECRET)
    with pytest.raises(NotSentError):
        made.client._ready()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"personal_keys_secret": "short"}, "shorter than 32"),
        ({"personal_keys_secret": SECRET, "personal_keys_secret_file": "x"}, "set only one"),
        ({"personal_keys_secret_file": "/no/such/file"}, "cannot read"),
    ],
)
def test_a_secret_that_cannot_be_used_stops_the_start(options: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        services(api_key="key", **options)


def test_the_secret_is_in_no_log(tmp_path: Path) -> None:
    (file := tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    services(api_key="key", personal_keys_secret_file=str(file))
    assert SECRET not in str(redactor().value({"text": f"it is {SECRET}"}))
    assert SECRET not in repr(Settings(personal_keys_secret=SECRET))


def test_people_choose_a_region_unless_the_server_has_an_endpoint_of_its_own() -> None:
    made = services(api_key="key", personal_keys_secret=SECRET)
    assert made.personal is not None
    assert made.personal.regions == ("us", "eu")
    made = services(api_key="key", personal_keys_secret=SECRET, url="http://127.0.0.1:9")
    assert made.personal is not None
    assert made.personal.regions == (OWN_ENDPOINT,)
    client = made.personal._connect(ANNS, OWN_ENDPOINT)
    assert (client.endpoint.url, client.fingerprint(str)) == ("http://127.0.0.1:9", ANNS)


async def test_with_the_simulator_each_person_has_one_of_their_own() -> None:
    made = services(simulator=True, personal_keys_secret=SECRET)
    assert made.personal is not None
    name = await made.personal.store(ANN, "eu", ANNS)
    outcome = await run(made, "list_domains", {"account": name}, BY_ANN)
    assert not outcome.is_error, outcome.text
    await made.aclose()
