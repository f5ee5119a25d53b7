"""From an HTTP request to an operation and its arguments: routing, authentication, decoding, checks, regions.

It knows the catalogue, the model and the replies. It must not know the handlers of operations or the control routes.
"""
