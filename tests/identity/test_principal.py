"""A principal is written as its id, and equal to another of the same id."""

from mailgun_mcp.identity.principal import Principal


def test_a_principal_is_written_as_its_id() -> None:
    assert str(Principal("ann")) == "ann"


def test_the_id_alone_tells_principals_apart() -> None:
    assert {Principal("ann"), Principal("ann"), Principal("ben")} == {Principal("ann"), Principal("ben")}
