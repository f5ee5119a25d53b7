"""What each profile does with the fewest arguments of an operation, by its risk; the rest is refused."""

CONFIRMED = {
    "read-only": set[str](),
    "guarded": {"destructive", "credential", "billing"},
    "strict": {"write", "send", "destructive", "credential", "billing"},
    "unguarded": set[str](),
}
ALLOWED = {
    "read-only": {"read"},
    "guarded": {"read", "write", "send"},
    "strict": {"read"},
    "unguarded": {"read", "write", "send", "destructive", "credential", "billing"},
}
