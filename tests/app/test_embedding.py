"""Settings and callers of a program that has the server inside of it."""

import pytest

from mailgun_mcp.app.embedding import principal_named, settings_of
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.principal import Principal, local_user


def test_arguments_are_settings_and_an_unknown_one_names_the_nearest() -> None:
    assert settings_of({"policy": "strict", "simulator": True}).policy == "strict"
    with pytest.raises(SettingsError, match=r"unknown setting 'policyy'.*'policy'"):
        settings_of({"policyy": "strict"})


def test_a_name_is_a_principal_and_nobody_is_the_local_user() -> None:
    ann = Principal("ann")
    assert [principal_named(given) for given in (ann, "ann", None)] == [ann, ann, local_user()]
