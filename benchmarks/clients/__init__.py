"""Real client libraries against the real server. `python -m benchmarks.clients` says which and writes the table's data."""
