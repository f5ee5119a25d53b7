"""The policy file: reads, checks, explains and tests it, and replays an audit log against it.

Loads pydantic and YAML, so nothing here is imported at a start with a built-in policy. It must not decide: `engine` does.
"""
