"""Who calls, in which account, and who may approve.

Must not know HTTP, what a policy lets it do, or anything of Mailgun's API.
"""
