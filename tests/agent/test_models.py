"""How an operator names a model, and what they are told when it cannot be used."""

import sys

import pytest

from mailgun_mcp.agent.models import OLLAMA, open_model
from mailgun_mcp.errors import SettingsError


def test_models_of_the_providers_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delenv("OLLAMA_BASE_URL", raising=False)
    assert open_model("anthropic:claude-sonnet-5-5").model_name == "claude-sonnet-5-5"
    assert open_model("openai:gpt-6.1-sol").system == "openai"
    assert str(open_model("ollama:qwen3").base_url).rstrip("/") == OLLAMA


def test_any_compatible_endpoint_is_reached_by_its_url_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = open_model("openai:local", "http://127.0.0.1:9/v1")
    assert str(model.base_url).rstrip("/") == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "say which model"),
        ("gpt-5", "is not a model"),
        ("openai:", "is not a model"),
        ("antropic:x", "did you mean 'anthropic'"),
        ("anthropic:claude", "set ANTHROPIC_API_KEY"),
        ("script:/nowhere.yaml", "cannot read /nowhere.yaml: No such file"),
    ],
)
def test_what_is_wrong_is_said(name: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(SettingsError, match=said):
        open_model(name)


@pytest.mark.parametrize(
    ("provider", "package"), [("anthropic", "anthropic"), ("google", "google.genai"), ("ollama", "openai")]
)
def test_a_missing_extra_is_named(provider: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(variable, "k")
    for name in [
        name
        for name in sys.modules
        if name.startswith("pydantic_ai.") and name.rpartition(".")[2] in (provider, "openai")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=r"pip install 'mailgun-mcp-server\[agent-"):
        open_model(f"{provider}:x")


@pytest.mark.parametrize("url", ["ftp://host/v1", "localhost:8080/v1", "http://", "http://host:x/v1", ""])
def test_an_endpoint_that_is_no_url_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="is not a URL such as"):
        open_model("openai:x", url)


def test_openai_itself_must_end_each_answer_and_compatible_endpoints_need_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    ends = "openai_chat_streaming_requires_finish_reason"
    assert open_model("openai:gpt-6.1-sol").profile.get(ends)
    for model in (open_model("openai:local", "http://127.0.0.1:9/v1"), open_model("ollama:qwen3")):
        assert not model.profile.get(ends)


def test_a_providers_client_tries_again_only_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    for retries in (0, 2):
        settings = open_model("openai:m", retries=retries).settings
        assert (settings or {}).get("max_retries") == retries


def test_a_script_has_no_endpoint() -> None:
    with pytest.raises(SettingsError, match="a script has no endpoint"):
        open_model("script:x.yaml", "http://127.0.0.1:9/v1")


def test_an_endpoint_of_google_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.genai")
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    assert str(open_model("google:gemini", "http://127.0.0.1:9/").base_url).startswith("http://127.0.0.1:9")


def test_a_script_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mailgun_mcp.agent.script", raising=False)
    monkeypatch.setitem(sys.modules, "pydantic_ai.messages", None)
    with pytest.raises(SettingsError, match=r"pip install 'mailgun-mcp-server\[agent\]'"):
        open_model("script:x.yaml")
