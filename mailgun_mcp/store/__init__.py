"""The state that outlives a process: SQLite or PostgreSQL, their migrations, notice of changes, shared keys, and ids.

Must not know what any table means: `confirm`, `audit`, `undo` and `call` own their tables.
"""
