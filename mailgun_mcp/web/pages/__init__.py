"""Web pages: sessions in a cookie, forms that no other site can send, security headers, templates, and sign-in.

Must not know the content of a page: `approvals` and others bring their own routes and templates.
"""
