"""What each operation does: a module for each section of the API, its handlers registered with their fidelity.

May know everything below it (model, mail, analytics, http, replies), but not how a server, a scenario
or the control routes run it. Importing `index` registers all handlers.
"""
