"""The state of a simulated account: plain records, and stores that keep them in bounded memory.

It must not use any other package of the simulator: no requests, no replies, no rules of sending.
"""
