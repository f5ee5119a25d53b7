"""Webhooks out: what happens to approvals, told to endpoints of the operator, signed, until they have it.

Must not answer approvals, and reads nothing of what an endpoint says but its status.
"""
