"""Shared keys: the first one seals, all of them open, and what was changed or moved does not open."""

from pathlib import Path

import pytest

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.sealing import FILE, SealKeys

OLD, NEW = "a" * 32, "b" * 40


def keys(directory: Path, *lines: str) -> SealKeys:
    file = directory / f"keys{len([*directory.iterdir()])}"
    file.write_text("\n".join(lines), encoding="utf-8")
    return SealKeys(file, directory)


def test_what_is_sealed_opens_under_its_name_alone(tmp_path: Path) -> None:
    sealing = keys(tmp_path, OLD)
    sealed = sealing.seal(b"secret", "one")
    assert b"secret" not in sealed
    assert sealing.unseal(sealed, "one") == b"secret"
    for changed, name in ((sealed, "two"), (sealed[:-1] + b"x", "one"), (sealed[:20], "one")):
        with pytest.raises(StateError, match=f"{name} in the database was changed"):
            sealing.unseal(changed, name)


def test_keys_are_rotated_in_steps_that_each_server_may_take_later(tmp_path: Path) -> None:
    old, both, turned, new = (keys(tmp_path, *lines) for lines in ([OLD], [OLD, NEW], [NEW, OLD], [NEW]))
    by_old, by_new = old.seal(b"x", "n"), turned.seal(b"x", "n")
    assert {turned.unseal(sealed, "n") for sealed in (by_old, by_new)} == {b"x"}
    assert both.unseal(by_new, "n") == b"x"
    assert (turned.is_current(by_new), turned.is_current(by_old)) == (True, False)
    with pytest.raises(
        StateError, match=r"sealed with a key that is not in .*keys\d: give every server .* --seal-keys"
    ):
        new.unseal(by_old, "n")


def test_each_purpose_has_keys_of_its_own_the_same_for_every_server(tmp_path: Path) -> None:
    sealing = keys(tmp_path, "# the old one", OLD, "", NEW)
    assert len({*sealing.derived("one"), *sealing.derived("two")}) == 4
    assert sealing.derived("one") == SealKeys(tmp_path / "keys0", tmp_path / "elsewhere").derived("one")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no key"),
        (b"# none\n", "has no key"),
        (b"short", "key 1 of .* is shorter than 32 characters"),
        (b"\xff" * 40, "cannot read"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(StateError, match=f"seal-keys: .*{message}|seal-keys: {message}"):
        SealKeys(tmp_path / "keys", tmp_path).derived("test")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"seal-keys: cannot read \S+: No such file or directory$"):
        SealKeys(tmp_path / "none", tmp_path).seal(b"x", "n")


def test_without_a_file_the_servers_of_one_machine_share_a_key_in_the_state_directory(tmp_path: Path) -> None:
    sealed = SealKeys(None, tmp_path / "state").seal(b"x", "n")
    assert SealKeys(None, tmp_path / "state").unseal(sealed, "n") == b"x"
    assert (tmp_path / "state" / FILE).stat().st_mode & 0o777 == 0o600
