"""Another distribution in `mailgun_mcp`: found by the files that it installed, warned of on stderr."""

from pathlib import Path

import pytest

from mailgun_mcp.cli import foreign_package
from mailgun_mcp.cli.foreign_package import foreign_owners
from tests.cli.conftest import Command


def installed(directory: Path, name: str, *files: str) -> str:
    """Lay down a distribution's metadata as an installer does, and return the directory."""
    info = directory / f"{name}-9.9.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9.9\n", encoding="utf-8")
    (info / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files), encoding="utf-8")
    return str(directory)


def test_a_package_with_files_in_ours_is_found(tmp_path: Path) -> None:
    path = installed(tmp_path, "mailgun_mcp", "mailgun_mcp/__init__.py", "mailgun_mcp-9.9.9.dist-info/RECORD")
    assert foreign_owners([path]) == [f"mailgun_mcp in {path}"]
    assert foreign_owners([path], names_starting_with="mailgun_mcp") == [f"mailgun_mcp in {path}"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param("mailgun_mcp_server", "mailgun_mcp/__init__.py", id="ours"),
        pytest.param("mailgun_mcp", "_editable_impl_mailgun_mcp.pth", id="no-files-in-ours"),
        pytest.param("mailgun", "mailgun/__init__.py", id="another-package"),
        pytest.param("mailgun_mcp_extras", "mailgun_mcp_extras/__init__.py", id="a-longer-name"),
    ],
)
def test_a_package_without_files_in_ours_is_not_found(name: str, file: str, tmp_path: Path) -> None:
    assert foreign_owners([installed(tmp_path, name, file)]) == []


def test_a_package_of_any_name_is_found_when_all_are_searched(tmp_path: Path) -> None:
    path = installed(tmp_path, "unrelated", "mailgun_mcp/server.py")
    assert foreign_owners([path]) == [f"unrelated in {path}"]
    assert foreign_owners([path], names_starting_with="mailgun_mcp") == []


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "mailgun_mcp-1.dist-info").mkdir()
    assert foreign_owners([str(tmp_path), str(tmp_path / "missing"), str(tmp_path / "archive.zip")]) == []


def test_a_start_warns_on_stderr_and_leaves_stdout_to_the_protocol(started: Command, tmp_path: Path) -> None:
    path = installed(tmp_path / "site", "mailgun_mcp", "mailgun_mcp/__init__.py")
    done = started("--simulator", stdin="", PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"mailgun-mcp: warning: {foreign_package.sentence(f'mailgun_mcp in {path}')}" in done.stderr.splitlines()


def test_a_start_without_such_a_package_warns_of_nothing(mailgun_mcp: Command) -> None:
    assert "warning" not in mailgun_mcp("--simulator", stdin="").stderr
