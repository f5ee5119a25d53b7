"""What may be shown to a model, a person or a log: redaction, withheld secrets, fenced third-party text.

It must not decide on calls or store anything: withheld values are handed to the caller to be stored.
"""
