"""What a server keeps between calls and processes: approvals, elevations, counters."""
