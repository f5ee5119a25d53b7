"""Who calls: never what a client or a model says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who makes calls, as the server knows them."""

    id: str
    """What approvals, limits, the audit log and the rules of a policy name them by."""

    def __str__(self) -> str:
        return self.id


LOCAL_USER = Principal("local")
"""Whoever runs the server: the one who calls on stdio and on the command line."""
