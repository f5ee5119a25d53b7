"""Compiles `tools/*.yaml` and `prompts/*.md` into `_data/`.

A development tool: it needs the sources of a checkout and is not in the wheel, so nothing that runs in a
server may import it.
"""
