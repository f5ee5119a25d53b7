"""What happens to mail: composing, delivery and its events, lists, routes, webhooks, and who may send from where.

It changes the model. It must not know HTTP, the handlers of operations, or the control routes.
"""
