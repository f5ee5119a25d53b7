"""One call, from its name to its result. Read `pipeline` first: it lists the stages.

Must not know MCP, a transport, or the simulator: every entry point runs through `pipeline.run`.
"""
