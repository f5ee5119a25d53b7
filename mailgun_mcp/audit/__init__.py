"""The audit log: a hash-chained record of what was called, decided and done, and what writes it.

Must not know how a call is decided or sent: it is handed a record, and writes it down.
"""
