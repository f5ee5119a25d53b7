"""The Mailgun account that calls are made in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A Mailgun account, as the operator names it."""

    name: str
    endpoint: str
    """The base URL of the API."""
    region: str | None = None
    """`us` or `eu`; None for an endpoint of the operator's own."""

    def __str__(self) -> str:
        return self.name
