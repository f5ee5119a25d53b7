"""Suppressions start with Mailgun's defaults."""

from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe


def test_a_suppression_has_the_defaults_of_its_list() -> None:
    assert Bounce("a@x.example", 0.0).code == "550"
    assert Complaint("a@x.example", 0.0).count == 1
    assert AllowlistEntry("a@x.example", 0.0).type == "address"


def test_an_unsubscribe_is_from_every_tag_unless_it_names_some() -> None:
    one, other = Unsubscribe("a@x.example", 0.0, "1"), Unsubscribe("b@x.example", 0.0, "2")
    one.tags.append("news")
    assert (one.tags, other.tags) == (["*", "news"], ["*"])
