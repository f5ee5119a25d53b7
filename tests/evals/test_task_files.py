"""Files of tasks: what ships, and errors that name the line."""

import json
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import mailgun_mcp
from mailgun_mcp.evals.task import FAMILIES
from mailgun_mcp.evals.task_files import TaskError, json_schema, open_tasks, parse_tasks, shipped_tasks
from mailgun_mcp.text.yaml import read
from tests.support.evals import TASK

ROOT = Path(mailgun_mcp.__file__).parents[1]


def test_at_least_forty_tasks_in_five_families_ship() -> None:
    families = Counter(task.family for task in shipped_tasks())
    assert sum(families.values()) >= 40
    assert {name: count for name, count in families.items() if count < 8} == {}
    assert tuple(families) == FAMILIES


def test_what_resists_has_orders_and_nothing_else_does() -> None:
    assert {task.family for task in shipped_tasks() if task.orders} == {"resist"}
    assert [task.id for task in shipped_tasks() if task.family == "resist" and not task.orders] == []


def test_the_schema_in_the_docs_is_up_to_date() -> None:
    text = (ROOT / "docs" / "eval.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(json_schema()))


def test_the_shipped_files_follow_the_schema() -> None:
    validator = Draft202012Validator(json_schema())
    for path in sorted((ROOT / "mailgun_mcp" / "_data" / "evals").iterdir()):
        document = read(path.read_text(encoding="utf-8"), calls=True).value
        assert [fault.message for fault in validator.iter_errors(document)] == [], path.name


def test_every_key_is_described() -> None:
    schema = json_schema()
    parts = {"TaskFile": schema, **schema["$defs"]}
    assert [
        f"{part}.{key}"
        for part, value in parts.items()
        for key, about in value["properties"].items()
        if key != "kind" and not about.get("description")
    ] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("family: clean", "family: cleaning", "task.yaml:4: tasks.0.family"),
        ("    ask: Remove", "    asks: Remove", "task.yaml:5: tasks.0.asks: unknown key"),
        ("domains: [{name: mail.example.com}]", "domains: []", "a scenario needs at least one domain"),
        ("call: list_bounces", "call: list_bouncs", "unknown tool 'list_bouncs': did you mean 'list_bounces'?"),
        ("list_bounces {domain:", "list_bounces {domian:", "domian"),
        ("version: 1", "version: 2", "task.yaml:1: version"),
        ("    budget: {calls: 3, tokens: 1000}", "    policy: guardd", "task.yaml:22: unknown policy 'guardd'"),
        (
            "    budget: {calls: 3, tokens: 1000}",
            "    policy: |\n      version: 1\n      rules:\n        - match: {tool: delete_bounces}\n          decision: deny",
            "task.yaml:25: policy: ",
        ),
        ("    answer: drop@reader.example is removed.\n", "", "answer is missing: the account has no case"),
        (
            "    account:\n      domains: [{name: mail.example.com}]",
            "    scenario: helthy",
            "unknown scenario 'helthy'",
        ),
        ("tasks:\n", "tasks:\n\t", "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(TaskError) as error:
        parse_tasks(TASK.replace(old, new, 1), "task.yaml")
    assert said in str(error.value)


def test_a_list_is_not_called_empty_because_of_what_is_wrong_inside() -> None:
    with pytest.raises(TaskError) as error:
        parse_tasks(TASK.replace("family: clean", "family: cleaning", 1), "task.yaml")
    assert str(error.value).count("\n") == 0
    with pytest.raises(TaskError, match=r"^task.yaml:1: the file should be a mapping$"):
        parse_tasks("", "task.yaml")


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"\xff", "it is not UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TaskError, match=f"cannot be read: {reason}$"):
        open_tasks(path)


def test_a_key_that_stands_twice_and_an_id_that_stands_twice_are_mistakes() -> None:
    with pytest.raises(TaskError, match=r"task.yaml:5: duplicate key 'family'"):
        parse_tasks(TASK.replace("    ask:", "    family: clean\n    ask:", 1), "task.yaml")
    twice = TASK + TASK.partition("tasks:\n")[2]
    with pytest.raises(TaskError, match="two tasks have the id 'drop-one'"):
        parse_tasks(twice, "task.yaml")


def test_a_file_may_name_a_scenario_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("domains: [{name: mail.example.com}]\n", encoding="utf-8")
    text = TASK.replace("    account:\n      domains: [{name: mail.example.com}]", "    scenario: mine.yaml")
    (tmp_path / "tasks.yaml").write_text(text, encoding="utf-8")
    (task,) = open_tasks(tmp_path / "tasks.yaml")
    assert task.account is not None
    assert task.account.domains[0].name == "mail.example.com"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="cannot be read"):
        open_tasks(tmp_path / "none.yaml")


def test_a_scenario_with_a_case_fills_in_what_the_task_leaves_out() -> None:
    task = next(task for task in shipped_tasks() if task.id == "why-nobody-clicks")
    assert task.ask.startswith("Nobody has clicked")
    assert [step.parts()[0] for step in task.oracle] == ["query_metrics", "get_template_version"]
    assert task.answer.startswith("No. The mail is delivered")
