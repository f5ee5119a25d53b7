"""The page on which people store their own Mailgun key, replace it and remove it.

Must not show a key, or know how one is encrypted.
"""
