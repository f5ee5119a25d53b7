"""Previews of what a call affects, snapshots of it, and the undo that puts it back.

Reads resources with the reads that the catalogue names for them. It must not know how a call goes through its stages,
who asks a person, or MCP: `call` brings these together.
"""
