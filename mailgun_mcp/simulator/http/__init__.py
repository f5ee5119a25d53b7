"""Turns an HTTP request into an operation and its arguments: routing, authentication, decoding, checks, regions.

It may use the catalogue, the model and the replies. It must not use the handlers of operations or the control routes.
"""
