"""Secrets kept for their owner: in a keyring that works, else in files that nobody else can read."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mailgun_mcp.call.secret_store import REFERENCE, Secret, SecretStore
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.keyring import Keyring

NOW = 1_800_000_000.0
VALUE = "key-of-the-tests-0123456789"
WHENCE = {"tool": "create_api_key", "place": "/key/secret", "account": "main"}


class Ring:
    """A keyring in memory; `broken` names what it fails at."""

    def __init__(self, *broken: str) -> None:
        self.values: dict[tuple[str, str], str] = {}
        self.broken = set(broken)

    def set_password(self, service_name: str, username: str, password: str) -> None:
        self._fail("set")
        self.values[service_name, username] = password

    def get_password(self, service_name: str, username: str) -> str | None:
        self._fail("get")
        return self.values.get((service_name, username))

    def delete_password(self, service_name: str, username: str) -> None:
        self._fail("delete")
        del self.values[service_name, username]

    def _fail(self, what: str) -> None:
        if what in self.broken:
            raise RuntimeError(f"the desktop is locked: {VALUE}")


def no_keyring() -> Keyring | None:
    return None


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    return SecretStore(tmp_path / "state", no_keyring)


def files(directory: Path) -> list[Path]:
    return sorted((directory / "state" / "secrets").iterdir())


def test_a_kept_secret_is_listed_without_its_value_and_shown_by_its_reference(store: SecretStore) -> None:
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    assert REFERENCE.fullmatch(ref)
    assert store.list() == (Secret(ref, NOW, "create_api_key", "/key/secret", "main", "file"),)
    assert store.show(ref) == VALUE


@pytest.mark.parametrize("value", ["", " \n", "é\u202e\x00", "\ud83d", '"\\', "x" * 100_000], ids=repr)
def test_any_value_comes_back_as_it_was(value: str, store: SecretStore) -> None:
    assert store.show(store.keep(value, **WHENCE, now=NOW)) == value


def test_secrets_are_listed_from_the_oldest(store: SecretStore) -> None:
    refs = [store.keep(f"value {number}", **WHENCE, now=NOW - number) for number in range(5)]
    assert [secret.ref for secret in store.list()] == refs[::-1]


def test_the_same_value_of_the_same_place_is_kept_once(store: SecretStore) -> None:
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    assert store.keep(VALUE, **WHENCE, now=NOW + 1) == ref
    others = [store.keep(VALUE, **{**WHENCE, name: "other"}, now=NOW) for name in WHENCE]
    assert len({ref, *others, store.keep("another", **WHENCE, now=NOW)}) == 5


def test_a_forgotten_secret_is_gone(store: SecretStore, tmp_path: Path) -> None:
    store.forget(store.keep(VALUE, **WHENCE, now=NOW))
    assert (store.list(), files(tmp_path)) == ((), [])


def test_another_process_sees_what_was_kept(store: SecretStore, tmp_path: Path) -> None:
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    assert SecretStore(tmp_path / "state", no_keyring).show(ref) == VALUE


def test_reading_creates_nothing(store: SecretStore, tmp_path: Path) -> None:
    assert store.list() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["show", "forget"])
@pytest.mark.parametrize("ref", ["nosuch", "../../etc/passwd", "", "*", "abcdefghjk"])
def test_an_unknown_reference_is_refused(action: str, ref: str, store: SecretStore) -> None:
    with pytest.raises(UnknownNameError, match="no secrets are stored"):
        getattr(store, action)(ref)
    kept = store.keep(VALUE, **WHENCE, now=NOW)
    with pytest.raises(UnknownNameError, match="unknown secret"):
        getattr(store, action)(ref)
    with pytest.raises(UnknownNameError, match=f"did you mean '{kept}'"):
        getattr(store, action)(kept[:-1])
    assert store.show(kept) == VALUE


def test_files_and_directories_are_the_owners_alone_under_any_mask(store: SecretStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store.keep(VALUE, **WHENCE, now=NOW)
    finally:
        os.umask(before)
    paths = [tmp_path / "state", tmp_path / "state" / "secrets", *files(tmp_path)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("loose", ["", "secrets"], ids=["state", "secrets"])
def test_a_directory_that_others_may_enter_is_refused(loose: str, store: SecretStore, tmp_path: Path) -> None:
    store.prepare()
    (tmp_path / "state" / loose).chmod(0o755)
    with pytest.raises(StateError, match="is open to other users"):
        store.prepare()
    with pytest.raises(StateError, match="is open to other users"):
        store.keep(VALUE, **WHENCE, now=NOW)
    assert files(tmp_path) == []


def test_a_file_that_others_may_read_is_refused(store: SecretStore, tmp_path: Path) -> None:
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    files(tmp_path)[0].chmod(0o644)
    for use in (store.list, lambda: store.show(ref), lambda: store.forget(ref)):
        with pytest.raises(StateError, match="is open to other users"):
            use()
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"ref": 1}', f'"{VALUE}"', "\xff"])
def test_a_damaged_file_says_how_to_remove_it_and_stops_nothing_else(
    content: str, store: SecretStore, tmp_path: Path
) -> None:
    ref = store.keep("first", **WHENCE, now=NOW)
    files(tmp_path)[0].write_text(content, encoding="latin-1")
    other = store.keep(VALUE, **WHENCE, now=NOW)
    assert store.show(other) == VALUE
    with pytest.raises(StateError, match=rf"is damaged: `.* secrets delete {ref} .*` removes it") as raised:
        store.list()
    assert VALUE not in str(raised.value)
    store.forget(ref)
    assert [secret.ref for secret in store.list()] == [other]


def test_a_directory_in_place_of_a_file_is_a_fault_of_the_state(tmp_path: Path) -> None:
    (tmp_path / "state").touch(mode=0o600)
    with pytest.raises(StateError, match="cannot be used"):
        SecretStore(tmp_path / "state", no_keyring).keep(VALUE, **WHENCE, now=NOW)


LIMITED = """
import resource, sys
from pathlib import Path
from mailgun_mcp.call.secret_store import SecretStore
from mailgun_mcp.errors import StateError
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
try:
    SecretStore(Path(sys.argv[1]), lambda: None).keep("x" * 1000, tool="t", place="/p", account="a", now=0)
except StateError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "state"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "cannot be used: File too large" in done.stderr) == (1, True)
    assert files(tmp_path) == []


ENDLESS = """
import sys
from pathlib import Path
from mailgun_mcp.call.secret_store import SecretStore
store = SecretStore(Path(sys.argv[1]), lambda: None)
number = 0
while True:
    store.keep(f"value {number}", tool="t", place=f"/{number}", account="a", now=number)
    print(number, flush=True)
    number += 1
"""


def test_a_process_that_is_killed_leaves_whole_secrets_only(store: SecretStore, tmp_path: Path) -> None:
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", ENDLESS, tmp_path / "state"], stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    kept = store.list()
    assert len(kept) >= 20
    assert all(store.show(secret.ref) == f"value {secret.place[1:]}" for secret in kept)


def test_what_a_killed_process_left_half_written_is_swept(store: SecretStore, tmp_path: Path) -> None:
    store.prepare()
    unfinished = tmp_path / "state" / "secrets" / "abcdefghjk.new"
    unfinished.write_text(VALUE, encoding="utf-8")
    written = unfinished.stat().st_mtime
    assert store.list() == ()
    store.keep("a", **WHENCE, now=written + 60)
    assert unfinished.exists()
    store.keep("b", **WHENCE, now=written + 7_200)
    assert not unfinished.exists()


def test_processes_that_keep_at_once_keep_everything(store: SecretStore, tmp_path: Path) -> None:
    code = ENDLESS.replace("while True", "while number < 20").replace('f"/{number}"', "sys.argv[2]")
    running = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "state", f"/{each}"], stdout=subprocess.DEVNULL)
        for each in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    found = {(secret.place, store.show(secret.ref)) for secret in store.list()}
    assert found == {(f"/{each}", f"value {number}") for each in range(3) for number in range(20)}


def test_a_keyring_that_works_holds_the_value_and_the_file_does_not(tmp_path: Path) -> None:
    ring = Ring()
    store = SecretStore(tmp_path / "state", lambda: ring)
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    assert ring.values == {("mailgun-mcp", ref): VALUE}
    assert VALUE not in files(tmp_path)[0].read_text(encoding="utf-8")
    assert (store.show(ref), store.list()[0].kept_in) == (VALUE, "keyring")
    assert store.keep(VALUE, **WHENCE, now=NOW) == ref
    store.forget(ref)
    assert (ring.values, files(tmp_path)) == ({}, [])


@pytest.mark.parametrize("broken", ["set", "get"])
def test_a_keyring_that_does_not_work_gives_way_to_the_file(broken: str, tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "state", lambda: Ring(broken))
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    assert (store.show(ref), store.list()[0].kept_in) == (VALUE, "file")


@pytest.mark.parametrize("later", [None, Ring("get", "delete"), Ring()], ids=["gone", "locked", "emptied"])
def test_a_keyring_that_does_not_give_the_value_says_so(later: Ring | None, tmp_path: Path) -> None:
    ref = SecretStore(tmp_path / "state", Ring).keep(VALUE, **WHENCE, now=NOW)
    with pytest.raises(StateError, match=f"{ref} could not be read from the keyring") as raised:
        SecretStore(tmp_path / "state", lambda: later).show(ref)
    assert VALUE not in str(raised.value)


def test_a_secret_that_its_keyring_still_holds_is_not_forgotten(tmp_path: Path) -> None:
    ring = Ring()
    store = SecretStore(tmp_path / "state", lambda: ring)
    ref = store.keep(VALUE, **WHENCE, now=NOW)
    ring.broken = {"delete"}
    with pytest.raises(StateError, match="could not be deleted"):
        store.forget(ref)
    assert store.show(ref) == VALUE
    ring.broken = set()
    ring.values.clear()
    store.forget(ref)
    assert store.list() == ()


def test_no_value_shows_in_what_is_printed_of_a_secret(store: SecretStore, tmp_path: Path) -> None:
    store.keep(VALUE, **WHENCE, now=NOW)
    written = Secret(**json.loads(files(tmp_path)[0].read_text(encoding="utf-8")))
    assert written.value == VALUE
    assert VALUE not in f"{store!r} {written!r} {store.list()!r}"
