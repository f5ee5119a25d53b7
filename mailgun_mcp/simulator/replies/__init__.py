"""The input and output of handlers: the decoded request, replies and errors, and three kinds of paging.

It may use the model. It must not depend on any section, or on how a request was received.
"""
