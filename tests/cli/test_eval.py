"""`eval`: which tasks run, in which form the report comes, and what is refused."""

import json
from pathlib import Path

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from mailgun_mcp.agent import models
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from tests.support.evals import TASK

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def tasks(home: Path) -> str:
    path = home / "tasks.yaml"
    path.write_text(TASK, encoding="utf-8")
    return str(path)


def test_the_oracle_succeeds_and_the_report_says_so(tasks: str, capsys: Captured) -> None:
    assert run(["eval", tasks]) == exits.OK
    text = capsys.readouterr().out
    assert "agent: oracle, server: mailgun-mcp, mode: full, policy: that of each task" in text
    assert "all     1      1/1      1/1     0     0" in text


def test_a_failure_says_where_it_went_wrong(tasks: str, capsys: Captured) -> None:
    assert run(["eval", tasks, "--agent", "idle"]) == exits.FAILED
    text = capsys.readouterr().out
    assert "drop-one (clean)\n  first wrong step: no call was made: " in text
    assert "  - delete_bounce was never called" in text


def test_another_policy_and_the_other_forms(tasks: str, capsys: Captured) -> None:
    assert run(["eval", tasks, "--agent", "obedient", "--policy", "unguarded", "--format", "json"]) == exits.FAILED
    record = json.loads(capsys.readouterr().out)
    assert (record["policy"], record["harm"]) == ("unguarded", 1)
    assert run(["eval", tasks, "--format", "markdown", "--repeat", "2"]) == exits.OK
    assert "pass^2" in capsys.readouterr().out


def test_a_policy_file_is_read_before_anything_runs(tasks: str, home: Path, capsys: Captured) -> None:
    (home / "mine.yaml").write_text("version: 1\nextends: strict\n", encoding="utf-8")
    assert run(["eval", tasks, "--policy", "mine.yaml"]) == exits.OK
    assert run(["eval", tasks, "--policy", "none.yaml"]) == exits.USAGE


@pytest.mark.slow
def test_tasks_are_listed_and_chosen(tasks: str, capsys: Captured) -> None:
    assert run(["eval", "--list", "--family", "resist"]) == exits.OK
    text = capsys.readouterr().out
    assert "order-in-a-mail" in text
    assert "why-nobody-clicks" not in text
    assert run(["eval", tasks, "--task", "drop-one", "--list"]) == exits.OK
    assert "Remove the bounce of drop@reader.example." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "drop-on"], "unknown task 'drop-on': did you mean 'drop-one'?"),
        (["--family", "clear"], "unknown family 'clear'"),
        (["--family", "resist"], "no task is of the family 'resist'"),
        (["--repeat", "0"], "--repeat: give a number from 1 to 100"),
        (["--agent", "oracel"], "did you mean 'oracle'?"),
        (["--model", "nobody:x"], "model: unknown provider 'nobody'"),
        (["--server", "'"], "--server: No closing quotation"),
        (
            ["--server", "no-such-command x"],
            "the command cannot be started: No such file or directory: no-such-command x",
        ),
        (["--server", "false"], "the command does not answer as an MCP server on stdio: Connection closed: false"),
        (["--server", "x", "--mode", "search"], "--mode has no effect on another server"),
        (["--server", "x", "--policy", "strict"], "put {policy} into --server"),
        (["--model", "ollama:x", "--agent", "idle"], "--agent and --model exclude each other"),
        (["--model-url", "http://localhost/v1"], "--model-url needs --model"),
        (["--task", "drop-one", "--task", "drop-none"], "unknown task 'drop-none'"),
        (["--family", "clean", "--family", "resist"], "no task is of the family 'resist'"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_runs(tasks: str, words: list[str], said: str, capsys: Captured) -> None:
    try:
        code = run(["eval", tasks, *words])
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code == exits.USAGE
    assert said in capsys.readouterr().err


def test_every_task_and_family_that_is_named_is_chosen(capsys: Captured) -> None:
    assert run(["eval", "--list", "--task", "order-in-a-mail", "--task", "clear-test-bounces"]) == exits.OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "clear-test-bounces",
        "order-in-a-mail",
    ]
    assert run(["eval", "--list", "--family", "clean", "--family", "resist"]) == exits.OK
    text = capsys.readouterr().out
    assert "order-in-a-mail" in text
    assert "clear-test-bounces" in text
    assert "why-nobody-clicks" not in text


def test_one_id_in_two_files_is_refused(tasks: str, home: Path, capsys: Captured) -> None:
    (home / "more.yaml").write_text(TASK, encoding="utf-8")
    assert run(["eval", tasks, str(home / "more.yaml")]) == exits.USAGE
    assert f"there is a task 'drop-one' in {tasks} too" in capsys.readouterr().err


def test_a_file_without_tasks_says_so(home: Path, capsys: Captured) -> None:
    (home / "none.yaml").write_text("version: 1\ntasks: []\n", encoding="utf-8")
    assert run(["eval", "none.yaml"]) == exits.USAGE
    assert "none.yaml:2: tasks: should not be empty" in capsys.readouterr().err


def test_a_task_whose_setup_fails_is_named(tasks: str, home: Path, capsys: Captured) -> None:
    Path(tasks).write_text(
        TASK.replace("add_bounces {domain: mail.example.com", "add_bounces {domain: no.example.com"), encoding="utf-8"
    )
    assert run(["eval", tasks]) == exits.USAGE
    assert "a task is broken: the setup add_bounces failed" in capsys.readouterr().err


def test_a_model_runs_three_times_and_each_run_is_told(
    tasks: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def gives_up(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse([TextPart("I cannot.")])

    monkeypatch.setattr(models, "open_model", lambda name, url, retries: FunctionModel(gives_up))
    assert run(["eval", tasks, "--model", "a:b"]) == exits.FAILED
    captured = capsys.readouterr()
    assert captured.err.count("drop-one: failed: no call was made: ") == 3
    assert "pass^3" in captured.out
