"""What people say brings the words of the catalogue into a query."""

import pytest

from mailgun_mcp.catalogue.search.thesaurus import SYNONYM_WEIGHT, TRANSLATION_WEIGHT, Thesaurus

THESAURUS = Thesaurus.build({"blacklist": "bounces", "opt out": "unsubscribe", "削除": "delete"})


def test_a_synonym_counts_less_than_a_word_of_the_query() -> None:
    expanded = THESAURUS.expand("Blacklisted domains", vocabulary={"blacklist", "domain", "bounc"})
    assert expanded == {"blacklist": 1.0, "domain": 1.0, "bounc": SYNONYM_WEIGHT}


def test_what_a_word_means_that_the_catalogue_lacks_counts_as_a_word_of_the_query() -> None:
    assert THESAURUS.expand("Blacklisted", vocabulary={"bounc"}) == {"bounc": TRANSLATION_WEIGHT}


def test_a_word_that_says_nothing_is_no_misspelling() -> None:
    assert Thesaurus.build({"eine": ""}).expand("eine Domain", vocabulary={"domain", "line"}) == {"domain": 1.0}


def test_a_word_with_another_ending_means_the_same() -> None:
    thesaurus = Thesaurus.build({"vorlage": "template", "liste": "list"})
    assert set(thesaurus.expand("Vorlagenlisten", vocabulary={"templat", "list"})) == {"templat", "list"}


def test_two_phrases_that_differ_only_in_their_endings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^opted out: there is another phrase that differs only in its endings$"):
        Thesaurus.build({"opt out": "unsubscribe", "opted out": "bounces"})


def test_a_phrase_is_found_whatever_its_endings() -> None:
    assert "unsubscrib" in THESAURUS.expand("who opted out")
    assert "unsubscrib" not in THESAURUS.expand("out of options, opt in")


def test_a_script_without_spaces_is_searched_for_its_phrases() -> None:
    assert THESAURUS.expand("ドメインを削除して")["delet"] == 1.0


def test_a_record_gives_the_same_thesaurus() -> None:
    assert Thesaurus.from_record(THESAURUS.to_record()) == THESAURUS
