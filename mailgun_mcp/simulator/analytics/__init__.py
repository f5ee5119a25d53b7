"""Computes statistics of an account's mail: metrics, rates, reports, log filters and alerts.

It works on the model. It must not use HTTP, the handlers of operations, or the control routes.
"""
