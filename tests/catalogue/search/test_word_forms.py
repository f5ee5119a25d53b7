"""Words of other languages are read by their roots, spellings and parts."""

import pytest

from mailgun_mcp.catalogue.search.index import compiled_index
from mailgun_mcp.catalogue.search.word_forms import WordForms, root

LISTED = {"vorlage", "liste", "adresse", "schlussel", "loschen", "absender", "abonne", "plantilla", "link", "abmelden"}
FORMS = WordForms(sorted(LISTED))


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("vorlage", ["vorlage"]),
        ("vorlagen", ["vorlage"]),
        ("loeschen", ["loschen"]),
        ("abonnees", ["abonne"]),
        ("plantillas", ["plantilla"]),
        ("absenderadresse", ["absender", "adresse"]),
        ("adressenliste", ["adresse", "liste"]),
        ("abmeldelink", ["abmelden", "link"]),
        ("absenderadressenliste", ["absender", "adresse", "liste"]),
        ("newsletter", []),
        ("", []),
    ],
)
def test_a_word_is_read_as_those_that_are_listed(word: str, read: list[str]) -> None:
    assert FORMS.read(word, LISTED.__contains__) == read


def test_a_root_is_never_shorter_than_four_letters() -> None:
    assert [root(word) for word in ("an", "sees", "vorlagen", "vorlage")] == ["an", "sees", "vorlag", "vorlag"]


@pytest.mark.parametrize("query", ["Absenderadresse hinzufuegen", "Vorlagenversionen auflisten", "Bouncelisten leeren"])
def test_a_compound_finds_what_its_parts_find(query: str) -> None:
    tools = [name for name, _ in compiled_index().rank(query)[:5]]
    assert {"create_domain", "list_template_versions", "clear_bounces"} & set(tools)
