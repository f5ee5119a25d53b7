"""Mail that is handed in over SMTP: the server, who may log in, and the certificate.

A mail becomes the same request as over HTTP. It must not know rules about mail: those are in `sections` and `mail`.
"""
