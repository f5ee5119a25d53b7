"""The chat protocols over HTTP. Each one translates the runner's events and requests.

Only the newest message and the person's answers are read from a request. Must not make calls or keep state: the runner
does, and the store keeps approvals. The principal is the authenticated one of the request, never one named in a body.
"""
