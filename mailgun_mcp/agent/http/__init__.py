"""The chat protocols over HTTP, each a translation of the runner's events and requests.

What a client sends beside the newest message or the person's answers is not read. Must not make calls or keep state: that
is the runner's, and an approval is the store's. The principal is that of the request, never one that a body names.
"""
