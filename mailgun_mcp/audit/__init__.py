"""The audit log: a hash-chained record of what was called, decided and done, and the code that writes it.

Must not know how a call is decided or sent: it receives a record and writes it.
"""
