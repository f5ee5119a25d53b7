"""Finds the tools for what somebody wants to do, in their own words.

The index is compiled with the catalogue. It must not know who may call what: it ranks names, and `call` decides.
"""
