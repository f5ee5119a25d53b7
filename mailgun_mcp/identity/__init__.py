"""Who calls, and in which account.

Must not know how a principal is authenticated, what a policy lets it do, or anything of Mailgun's API.
"""
