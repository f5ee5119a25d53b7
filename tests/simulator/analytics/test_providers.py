"""The older statistics list some providers by name, and all countries."""

from mailgun_mcp.simulator.analytics.providers import COUNTRIES, legacy_provider


def test_a_provider_that_is_not_listed_is_other() -> None:
    assert (legacy_provider("gmail.com"), legacy_provider("x.example")) == ("gmail.com", "other")


def test_countries_are_unique_codes_of_two_letters() -> None:
    assert len(set(COUNTRIES)) == len(COUNTRIES) > 200
    assert {len(code) for code in COUNTRIES} == {2}
    assert {"us", "at", "zw"} <= set(COUNTRIES)
