"""The texts and addresses in arguments."""

from mailgun_mcp.policy.call_texts import addresses_in, folded, texts


def test_texts_are_found_at_any_depth_of_lists_and_nothing_else_is() -> None:
    assert list(texts("a")) == ["a"]
    assert list(texts(["a", ("b", ["c"]), 1, None, {"d": "e"}])) == ["a", "b", "c"]


def test_wide_letters_and_a_dot_at_the_end_make_no_difference() -> None:
    assert folded(" Evil.Example. ") == folded("\uff45vil.example") == "evil.example"


def test_a_fault_names_its_argument() -> None:
    faults: list[str] = []
    assert list(addresses_in("to", ["a@one.example, b%c.example@two.example"], faults)) == [
        "a@one.example",
        "b%c.example@two.example",
    ]
    assert faults == ["to: 'b%c.example@two.example' may be passed on to another domain"]
