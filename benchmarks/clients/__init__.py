"""Real client libraries against the real server. Run `python -m benchmarks.clients`, which writes the table's data."""
