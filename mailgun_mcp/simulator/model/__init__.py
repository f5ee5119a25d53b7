"""The state of a simulated account: plain records and the stores that keep them in bounded memory.

It knows the clock and nothing else of the simulator: no requests, no replies, no rules of sending.
"""
