"""Pictures that can be read again."""

from mailgun_mcp.call.pictures import Pictures


def test_a_picture_is_there_for_its_owner_only() -> None:
    pictures = Pictures()
    name = pictures.keep(b"png", "image/png", "kim")
    assert pictures.find(name, "kim") == ("image/png", b"png")
    assert pictures.find(name, "eve") is None
    assert pictures.find("other", "kim") is None


def test_only_the_last_are_kept() -> None:
    pictures = Pictures(most=2)
    first, second, third = (pictures.keep(b"", "image/png", "kim") for _ in range(3))
    assert pictures.find(first, "kim") is None
    assert pictures.find(second, "kim")
    assert pictures.find(third, "kim")
