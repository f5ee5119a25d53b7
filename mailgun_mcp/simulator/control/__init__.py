"""What changes a running simulator from outside its API: faults, limits, clock, snapshots, state file, and the page.

It wraps the application and may know every other room, but not the handlers of operations.
"""
