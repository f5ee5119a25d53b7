"""Outgoing webhooks: signed events about approvals and undos, sent to the operator's endpoints until they arrive.

Must not answer approvals, and reads only the status of an endpoint's response.
"""
