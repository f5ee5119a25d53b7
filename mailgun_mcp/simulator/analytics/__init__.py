"""Reads what an account's mail adds up to: metrics, rates, reports, log filters and alerts.

It reads the model. It must not know HTTP, the handlers of operations, or the control routes.
"""
