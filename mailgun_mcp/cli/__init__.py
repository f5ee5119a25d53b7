"""The command line: one module a command, imported when that command runs.

It may use everything else, and nothing else may use it. Importing this package must stay cheap: it is the first
thing that a client's configuration loads.
"""
