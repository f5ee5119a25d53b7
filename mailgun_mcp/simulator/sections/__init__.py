"""Implements the operations: one module for each section of the API, with handlers registered with their fidelity.

It may use everything below it (model, mail, analytics, http, replies), but must not depend on how a server, a scenario
or the control routes run it. Importing `all_sections` registers all handlers.
"""
