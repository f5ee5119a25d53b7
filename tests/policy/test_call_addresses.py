"""The addresses in arguments."""

from mailgun_mcp.policy.call_addresses import addresses_in


def test_addresses_are_found_at_any_depth() -> None:
    faults: list[str] = []
    given = ["a@x.example", ("b@x.example", ["c@x.example"]), 1, None]
    assert list(addresses_in("to", given, faults)) == ["a@x.example", "b@x.example", "c@x.example"]
    assert faults == []


def test_a_fault_names_its_argument() -> None:
    faults: list[str] = []
    assert list(addresses_in("to", ["a@one.example, b%c.example@two.example"], faults)) == [
        "a@one.example",
        "b%c.example@two.example",
    ]
    assert faults == ["to: 'b%c.example@two.example' may be passed on to another domain"]
