"""Opens the agent's model by the name that the operator gave."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import model_variable
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from pydantic_ai.models import Model

PROVIDERS = {
    "anthropic": ("agent-anthropic", "ANTHROPIC_API_KEY"),
    "openai": ("agent-openai", "OPENAI_API_KEY"),
    "google": ("agent-google", "GOOGLE_API_KEY"),
    "ollama": ("agent-openai", None),
}
"""Provider -> the extra that installs it, and the environment variable that holds its key."""
SCRIPT = "script"
OLLAMA = "http://localhost:11434/v1"
FORM = "write PROVIDER:NAME, such as anthropic:claude-sonnet-5-5, openai:gpt-6.1-sol, google:gemini-3.8-flash or ollama:qwen3"
EXTRA_MISSING = "model: {provider} needs more packages: pip install 'mailgun-mcp-server[{extra}]'"


def open_model(name: str | None, url: str | None = None, *, retries: int = 0) -> "Model":
    """Return the model of that name. With `url`, it is behind an OpenAI-compatible endpoint.

    Keys come from the provider's own environment variables. `retries` is how often the provider's client makes a failed
    request again, without a word: a chat's run does that itself, and says so. Raises SettingsError.
    """
    if not name:
        raise SettingsError(f"model: say which model answers: {FORM}")
    provider, colon, model = name.partition(":")
    if not colon or not model:
        raise SettingsError(f"model: {name!r} is not a model: {FORM}")
    if provider == SCRIPT:
        if url is not None:
            raise SettingsError("model-url: a script has no endpoint: leave it out, or name a model with --model")
        try:
            from mailgun_mcp.agent.script import open_script
        except ImportError as error:
            raise SettingsError(EXTRA_MISSING.format(provider="the chat agent", extra="agent")) from error
        return open_script(model)
    if provider not in PROVIDERS:
        raise SettingsError(f"model: {unknown('provider', provider, [*PROVIDERS, SCRIPT])}: {FORM}")
    extra, variable = PROVIDERS[provider]
    if variable is not None and url is None and not model_variable(variable):
        raise SettingsError(f"model: {provider} needs a key: set {variable}")
    if url is not None:
        _check(url)
    try:
        return _opened(provider, model, url, retries)
    except ImportError as error:
        raise SettingsError(EXTRA_MISSING.format(provider=provider, extra=extra)) from error


def _opened(provider: str, model: str, url: str | None, retries: int) -> "Model":
    from pydantic_ai.settings import ModelSettings

    settings = ModelSettings(max_retries=retries)
    if provider == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        claude = AnthropicProvider(base_url=url, api_key=_key("ANTHROPIC_API_KEY"))
        return AnthropicModel(model, provider=claude, settings=settings)
    if provider == "google":
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        gemini = GoogleProvider(base_url=url, api_key=_key("GOOGLE_API_KEY"))
        return GoogleModel(model, provider=gemini, settings=settings)
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider

    # OpenAI itself ends each answer with a reason. Some endpoints that are compatible do not.
    profile = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True) if url is None else None
    if provider == "ollama":
        url, profile = url or model_variable("OLLAMA_BASE_URL") or OLLAMA, None
    endpoint = OpenAIProvider(base_url=url, api_key=_key("OPENAI_API_KEY"))
    return OpenAIChatModel(model, provider=endpoint, profile=profile, settings=settings)


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"model-url: {url!r} is not a URL such as http://localhost:8080/v1")


def _key(variable: str) -> str:
    # A self-hosted endpoint often needs no key, but the clients insist on one.
    return model_variable(variable) or "none"
