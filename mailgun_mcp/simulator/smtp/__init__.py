"""Accepts mail over SMTP: the server, its logins, and its certificate.

A mail becomes the same request as over HTTP. Rules about mail do not belong here: they are in `sections` and `mail`.
"""
