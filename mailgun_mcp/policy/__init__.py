"""Decides whether a call may be made, from the facts of the call, rules, send limits, profiles, and past calls.

Pure: no I/O, no clock, no waiting. It must not know how a person is asked, how a request is sent, or where state is
kept. `file` reads policies from YAML; a start with a built-in policy does not load it.
"""
