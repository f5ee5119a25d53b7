"""The page on which people store, replace and remove their own Mailgun key.

Must not show a key, or know how keys are encrypted.
"""
