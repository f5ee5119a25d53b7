"""Pages for a browser: sessions in a cookie, forms that no other site can send, security headers, templates, sign-in.

Must not know what a page is about: `approvals` and others bring their own routes and templates.
"""
