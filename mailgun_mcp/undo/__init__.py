"""Previews of what a call affects, snapshots of it, and the undo that restores it.

Reads resources through the reads that the catalogue names for them. It must not know how a call passes its stages, who
asks a person, or MCP: `call` connects them.
"""
