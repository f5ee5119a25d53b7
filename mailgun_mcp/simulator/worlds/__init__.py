"""Ready-made accounts: the demo account, and scenarios that describe an account and what went wrong in it.

It fills the model through `mail`. It must not use the handlers of operations or the control routes.
"""
