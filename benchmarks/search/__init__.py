"""How well `search_tools` finds the tool that somebody needs."""
