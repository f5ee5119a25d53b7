"""Controls a running simulator from outside its API: faults, limits, clock, snapshots, state file, and the page.

It wraps the application. It may use every other package of the simulator, but not the handlers of operations.
"""
