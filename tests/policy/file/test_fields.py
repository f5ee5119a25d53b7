"""What a value of a policy file may be."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mailgun_mcp.policy.file.fields import DomainGlobs, Duration, OneOrMore, notify_url, zone


def test_one_glob_is_a_list_of_one() -> None:
    assert TypeAdapter(OneOrMore).validate_python("delete_*") == ["delete_*"]


@pytest.mark.parametrize(("kind", "value"), [(Duration, 15), (DomainGlobs, ["a@b.example"]), (OneOrMore, [])])
def test_what_a_value_may_not_be_is_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com", "x"])
def test_a_hook_is_called_over_https(url: str) -> None:
    with pytest.raises(ValueError, match="is not an https URL"):
        notify_url(url)


def test_an_unknown_time_zone_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        zone("Europe/Berln")
