"""Processes mail: composing, delivery and its events, lists, routes, webhooks, and sending permissions.

It changes the model. It must not use HTTP, the handlers of operations, or the control routes.
"""
