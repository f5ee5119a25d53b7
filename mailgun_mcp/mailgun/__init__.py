"""The HTTP client for Mailgun: endpoints, authentication, retries, rate limits, and the meaning of its errors.

Must not know tools, policies or accounts: it sends the one request that it is given.
"""
