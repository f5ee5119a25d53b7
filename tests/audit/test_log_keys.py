"""The keys of the audit log: outside the database, for their owner alone, and none is lost."""

import json
import stat
from pathlib import Path

import pytest

from mailgun_mcp.audit.log_keys import FILE, AuditKeys
from mailgun_mcp.errors import StateError
from tests.support.state import NOW


class Ring:
    def __init__(self, *, works: bool = True) -> None:
        self.values: dict[tuple[str, str], str] = {}
        self.works = works

    def set_password(self, service_name: str, username: str, password: str) -> None:
        if not self.works:
            raise OSError("locked")
        self.values[service_name, username] = password

    def get_password(self, service_name: str, username: str) -> str | None:
        return self.values.get((service_name, username))

    def delete_password(self, service_name: str, username: str) -> None:
        del self.values[service_name, username]


def test_a_key_is_stored_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    keys = AuditKeys(tmp_path / "state", lambda: None)
    key = keys.add(NOW)
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600
    assert AuditKeys(tmp_path / "state", lambda: None).newest() == key
    assert key.secret.hex() not in repr(key)


def test_a_key_in_the_keyring_is_not_in_the_file(tmp_path: Path) -> None:
    ring = Ring()
    key = AuditKeys(tmp_path / "state", lambda: ring).add(NOW)
    assert key.secret.hex() not in (tmp_path / "state" / FILE).read_text(encoding="utf-8")
    assert AuditKeys(tmp_path / "state", lambda: ring).newest() == key
    assert AuditKeys(tmp_path / "state", lambda: None).newest() is None


def test_a_keyring_that_fails_leaves_the_key_to_the_file(tmp_path: Path) -> None:
    key = AuditKeys(tmp_path / "state", lambda: Ring(works=False)).add(NOW)
    assert AuditKeys(tmp_path / "state", lambda: None).newest() == key


def test_an_older_key_is_still_there_after_a_new_one(tmp_path: Path) -> None:
    keys = AuditKeys(tmp_path / "state", lambda: None)
    first, second = keys.add(NOW), keys.add(NOW + 1)
    again = AuditKeys(tmp_path / "state", lambda: None)
    assert (again.get(first.id), again.newest()) == (first, second)


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    AuditKeys(tmp_path / "state", lambda: None).add(NOW)
    (tmp_path / "state" / FILE).chmod(0o644)
    with pytest.raises(StateError, match="is open to other users"):
        AuditKeys(tmp_path / "state", lambda: None).newest()


@pytest.mark.parametrize(
    "content", ["", "{}", json.dumps([{"id": "x"}]), json.dumps([{"id": "x", "created": 1, "secret": "y"}])]
)
def test_a_damaged_file_of_keys_is_named(tmp_path: Path, content: str) -> None:
    AuditKeys(tmp_path / "state", lambda: None).add(NOW)
    (tmp_path / "state" / FILE).write_text(content, encoding="utf-8")
    if content == "{}":
        assert AuditKeys(tmp_path / "state", lambda: None).newest() is None
        return
    with pytest.raises(StateError, match="cannot be read: restore it"):
        AuditKeys(tmp_path / "state", lambda: None).newest()
