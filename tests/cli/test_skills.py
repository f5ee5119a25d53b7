"""`skills`: list, install and export."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.catalogue.skills import compiled_skills
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run

NAMES = [skill.name for skill in compiled_skills()]


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["skills", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_skills_are_listed_with_when_to_use_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, "list")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (exits.OK, NAMES)
    code, out, _ = ran(capsys, "list", "--json", "--preset", "templates")
    (skill,) = [skill for skill in json.loads(out) if skill["name"] == "mailgun-templates"]
    assert skill["files"].keys() == {"SKILL.md", "references/write_template.md"}


def test_too_few_tools_for_a_skill_say_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "list", "--tools", "list_users") == (exits.OK, "", "No skill works with so few tools.\n")


def test_a_client_gets_the_skills_where_it_reads_them_and_loses_them_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / ".claude" / "skills"
    other = folder / "my-own" / "SKILL.md"
    other.parent.mkdir(parents=True)
    other.write_text("mine", encoding="utf-8")
    code, out, err = ran(capsys, "install", "--client", "claude-code")
    assert (code, out.split()) == (exits.OK, NAMES)
    assert f"{folder}: wrote 8 skills. Start Claude Code again" in err
    assert {path.name for path in folder.iterdir()} == {*NAMES, "my-own"}
    ran(capsys, "install", "--client", "claude-code", "--preset", "templates")
    assert "mailgun-dns" not in {path.name for path in folder.iterdir()}
    assert ran(capsys, "install", "--client", "claude-code", "--uninstall")[0] == exits.OK
    assert [path.name for path in folder.iterdir()] == ["my-own"]
    assert other.read_text(encoding="utf-8") == "mine"


def test_a_project_gets_them_beside_its_files(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ran(capsys, "install", "--client", "cursor", "--scope", "project")[0] == exits.OK
    assert (tmp_path / ".cursor" / "skills" / "mailgun-dns" / "SKILL.md").is_file()


@pytest.mark.parametrize("kind", ["files", "claude-plugin", "cursor-plugin"])
def test_an_export_fills_an_empty_folder_only(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    folder = tmp_path / "plugin"
    assert ran(capsys, "export", "--format", kind, str(folder))[0] == exits.OK
    below = folder if kind == "files" else folder / "skills"
    assert {path.name for path in below.iterdir()} == set(NAMES)
    code, _, err = ran(capsys, "export", str(folder))
    assert code == exits.USAGE
    assert "is not an empty folder: nothing was written" in err
