"""What may leave for a model, a person or a log: redaction, withheld secrets, fenced third-party text.

It must not decide on calls or keep anything: what is withheld is handed to the caller to be stored.
"""
