"""The calls of workflows have arguments that the tools take."""

from mailgun_mcp.call.workflows.queries import LIMIT, WARMUPS, failures, logs, metrics, where
from mailgun_mcp.request.validate import validate
from tests.support.operations import find


def test_the_arguments_are_valid() -> None:
    requests = [
        LIMIT,
        WARMUPS,
        failures(7),
        failures(7, "x.example"),
        logs(30, ["accepted"], domain="x.example", recipient="a@b.example", message_id="1@x.example"),
        metrics([], {"duration": "7d"}),
        metrics(["domain", "time"], {"duration": "7d"}, ["x.example", "y.example"]),
    ]
    assert [fault for tool, arguments in requests for fault in validate(find(tool), arguments)] == []


def test_only_what_is_asked_about_is_filtered() -> None:
    assert where(domain=None) == {}
    conditions = where(domain="x.example", recipient=None)["filter"]["AND"]
    assert [condition["attribute"] for condition in conditions] == ["domain"]
