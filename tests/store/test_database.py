"""The file of the state: made for its owner alone, and refused with a clear message when it cannot be trusted."""

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from mailgun_mcp.call.counters import Nonces
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.errors import StateError
from mailgun_mcp.store import database as module
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.migrations import MIGRATIONS
from tests.support.state import NOW, asked, granted, python, request_approval, rows, unmeasured

NOBODY = 65534


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def test_nothing_is_made_before_the_first_use(store: Store) -> None:
    Approvals(store)
    assert (store.exists, store.directory.exists()) == (False, False)


def test_sqlite_is_loaded_at_the_first_use() -> None:
    code = """
import sys
from pathlib import Path
from mailgun_mcp.call.counters import Nonces
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.confirm.grants import Grants
from mailgun_mcp.store.database import Store
store = Store(Path(sys.argv[1]))
Approvals(store), Nonces(store), Grants(store), store.exists
print("sqlite3" in sys.modules)
"""
    assert python(code, "nowhere", env=unmeasured()) == ["False"]


def test_everything_is_made_for_the_owner_alone(store: Store) -> None:
    before = os.umask(0)
    try:
        request_approval(store, asked())
    finally:
        os.umask(before)
    files = {path.name: mode(path) for path in store.directory.iterdir()}
    assert mode(store.directory) == "700"
    assert files == {"state.db": "600", "state.db-wal": "600", "state.db-shm": "600"}


@pytest.mark.parametrize("rights", [0o720, 0o702, 0o750, 0o705, 0o777])
def test_a_directory_that_is_open_to_others_is_refused(store: Store, rights: int) -> None:
    store.directory.mkdir()
    store.directory.chmod(rights)
    with pytest.raises(StateError, match=rf"open to other users \(mode {rights:o}\): run chmod go= {store.directory}"):
        request_approval(store, asked())
    assert list(store.directory.iterdir()) == []


@pytest.mark.parametrize("rights", [0o644, 0o620, 0o602])
def test_a_file_that_is_open_to_others_is_refused(store: Store, rights: int) -> None:
    request_approval(store, asked())
    store.close()
    (store.directory / module.FILE).chmod(rights)
    with pytest.raises(StateError, match=r"state\.db is open to other users"):
        Approvals(store).list(NOW)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
def test_a_directory_of_another_user_is_refused(store: Store) -> None:
    store.directory.mkdir(mode=0o700)
    os.chown(store.directory, NOBODY, NOBODY)
    with pytest.raises(StateError, match="belongs to another user"):
        request_approval(store, asked())
    assert list(store.directory.iterdir()) == []


def test_a_file_in_place_of_the_directory_is_refused(store: Store) -> None:
    store.directory.write_text("", encoding="utf-8")
    with pytest.raises(StateError, match="cannot be used: File exists"):
        request_approval(store, asked())


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory of a user whom rights stop: root is turned away by none."""
    directory = Path(mkdtemp())
    if os.geteuid() == 0:
        os.chown(directory, NOBODY, NOBODY)
    yield directory
    rmtree(directory)


REFUSED = """
import os, sqlite3, sys
from pathlib import Path
from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
untrusted = Untrusted(Store(Path(sys.argv[1])))
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(int(sys.argv[2])), os.setuid(int(sys.argv[2]))
try:
    untrusted.mark("main", "local", 1.0)
except StateError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda directory: directory.chmod(0o500), id="parent"),
        pytest.param(lambda directory: owned(directory / "state", 0o500), id="directory"),
        pytest.param(lambda directory: owned(directory / "state", 0o700, file=0o400), id="file"),
    ],
)
def test_what_cannot_be_written_is_refused(unprivileged: Path, prepare: Callable[[Path], None]) -> None:
    prepare(unprivileged)
    state = unprivileged / "state"
    assert python(REFUSED, state, NOBODY, env=unmeasured()) == [
        f"the state in {state} cannot be used: Permission denied"
    ]


def owned(directory: Path, rights: int, file: int | None = None) -> None:
    """Make the directory, and an empty state in it, for the unprivileged user."""
    directory.mkdir()
    if file is not None:
        (directory / module.FILE).touch(mode=file)
    for path in (directory, *directory.iterdir()):
        os.chown(path, *((NOBODY, NOBODY) if os.geteuid() == 0 else (-1, -1)))
    directory.chmod(rights)


def test_a_file_that_is_no_state_is_refused_and_left_alone(store: Store) -> None:
    store.directory.mkdir(mode=0o700)
    path = store.directory / module.FILE
    path.touch(mode=0o600)
    path.write_bytes(b"a letter to a friend" * 100)
    with pytest.raises(StateError, match=r"state\.db is damaged: move it away"):
        request_approval(store, asked())
    assert path.read_bytes() == b"a letter to a friend" * 100


def test_a_damaged_page_is_refused_when_it_is_read(store: Store) -> None:
    for number in range(50):
        request_approval(store, asked(request=str(number)))
    store.close()
    path = store.directory / module.FILE
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    with pytest.raises(StateError, match="damaged"):
        Approvals(store).list(NOW)
    assert_nothing_through(store)


@pytest.mark.parametrize("answers", ["no JSON", "{}", "7"])
def test_a_damaged_row_is_refused(store: Store, answers: str) -> None:
    approval = request_approval(store, asked())
    Approvals(store).approve(approval.id, by="ann", now=NOW)
    with store.writing() as connection:
        connection.execute("UPDATE approvals SET answers = ?", (answers,))
    with pytest.raises(StateError, match="damaged"):
        granted(store, asked())


def assert_nothing_through(store: Store) -> None:
    with pytest.raises(StateError):
        granted(store, asked())
    with pytest.raises(StateError):
        Nonces(store).burn("nonce", NOW + 1, NOW)


def test_what_another_process_holds_too_long_is_refused_and_then_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    approval = request_approval(store, asked())
    other = sqlite3.connect(store.directory / module.FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError, match=r"another process has locked state\.db"):
        Approvals(store).approve(approval.id, by="ann", now=NOW)
    assert Approvals(store).list(NOW) == (approval,)
    other.execute("ROLLBACK")
    other.close()
    assert Approvals(store).approve(approval.id, by="ann", now=NOW).status == "approved"


def test_a_new_file_that_another_process_holds_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    store.directory.mkdir(mode=0o700)
    (store.directory / module.FILE).touch(mode=0o600)
    other = sqlite3.connect(store.directory / module.FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StateError, match=r"another process has locked state\.db"):
        request_approval(store, asked())
    other.close()
    assert request_approval(store, asked()).status == "pending"


def test_a_fault_inside_undoes_the_whole(store: Store) -> None:
    approval = request_approval(store, asked())

    def fail() -> None:
        with store.writing() as connection:
            connection.execute("UPDATE approvals SET status = 'approved'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Approvals(store).list(NOW) == (approval,)


FULL = """
import resource, sys
from pathlib import Path
from mailgun_mcp.call.counters import Nonces, Spend
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
store = Store(Path(sys.argv[1]))
Spend(store).record("main", 1.0, 1.0)
size = (store.directory / "state.db-wal").stat().st_size
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(sys.argv[2]), hard))
kept = 1
try:
    while kept < 10_000:
        Spend(store).record("main", 1.0, 1.0)
        kept += 1
except StateError as error:
    print(str(error).partition("used: ")[2])
try:
    print(Nonces(store).burn("nonce", 2.0, 1.0))
except StateError:
    print("refused")
print(Spend(store).since("main", 0.0) == kept)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(Nonces(store).burn("nonce", 2.0, 1.0), Nonces(store).burn("nonce", 2.0, 1.0))
store.close()
print(Spend(Store(store.directory)).since("main", 0.0) == kept)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
@pytest.mark.parametrize("left", [0, 10, 4096, 5000, 100_000])
def test_on_a_full_disk_nothing_is_done_by_half(tmp_path: Path, left: int) -> None:
    fault, *rest = python(FULL, tmp_path / "state", left)
    assert fault in ("disk I/O error", "the disk is full")
    assert rest == ["refused", "True", "True False", "True"]


def test_threads_take_turns(store: Store) -> None:
    def burn(number: int) -> bool:
        return Nonces(store).burn(str(number // 4), NOW + 60, NOW)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(burn, range(200))) == 50


def test_a_state_that_was_moved_away_is_created_again(store: Store) -> None:
    first = request_approval(store, asked())
    store.directory.rename(store.directory.with_name("kept"))
    second = request_approval(store, asked())
    assert second.id != first.id
    assert Approvals(store).list(NOW) == (second,)
    other = Store(store.directory.with_name("kept"))
    assert Approvals(other).list(NOW) == (first,)
    other.close()


def test_what_one_process_writes_another_reads(store: Store) -> None:
    other = Store(store.directory)
    approval = request_approval(store, asked())
    assert Approvals(other).approve(approval.id, by="ann", now=NOW) == granted(store, asked())
    other.close()


def test_the_tables_have_this_version(store: Store) -> None:
    assert rows(store, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert rows(store, "PRAGMA journal_mode") == [("wal",)]


def test_an_older_version_is_brought_up_with_what_it_holds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = request_approval(store, asked())
    store.close()
    steps = (
        ("CREATE TABLE notes (text TEXT NOT NULL)", "INSERT INTO notes VALUES ('kept')"),
        ("ALTER TABLE notes ADD COLUMN at REAL NOT NULL DEFAULT 7",),
    )
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, *steps))
    assert Approvals(store).list(NOW) == (approval,)
    assert rows(store, "SELECT * FROM notes") == [("kept", 7.0)]
    assert rows(store, "PRAGMA user_version") == [(len(MIGRATIONS) + 2,)]


def test_a_step_that_fails_leaves_the_older_version_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = request_approval(store, asked())
    store.close()
    with monkeypatch.context() as patched:
        patched.setattr(module, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE notes (text)", "no SQL")))
        with pytest.raises(StateError, match="syntax error"):
            Approvals(store).list(NOW)
    assert Approvals(store).list(NOW) == (approval,)
    assert rows(store, "SELECT name FROM sqlite_master WHERE name = 'notes'") == []


def test_a_newer_version_is_refused_and_left_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    request_approval(store, asked())
    store.close()
    content = (store.directory / module.FILE).read_bytes()
    monkeypatch.setattr(module, "MIGRATIONS", ())
    with pytest.raises(
        StateError, match=r"newer version of mailgun-mcp \(version \d+ of the tables\): update mailgun-mcp"
    ):
        Approvals(store).list(NOW)
    assert (store.directory / module.FILE).read_bytes() == content
