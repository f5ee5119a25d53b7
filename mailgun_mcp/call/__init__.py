"""One call from its name to its result. Read `pipeline` first: it is the list of the stages.

Must not know MCP, a transport, or the simulator: every way in runs through `pipeline.run`.
"""
