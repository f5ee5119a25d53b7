"""The state that outlives a process: one SQLite file, its migrations, and ids.

Must not know what any table means: `confirm`, `audit`, `undo` and `call` own their tables.
"""
