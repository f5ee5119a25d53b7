"""The state that outlives a process: SQLite or PostgreSQL, their migrations, changes to wait for, shared keys, and ids.

Must not know what any table means: `confirm`, `audit`, `undo` and `call` own their tables.
"""
