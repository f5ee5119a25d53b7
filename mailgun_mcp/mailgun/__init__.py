"""The HTTP client for Mailgun: endpoints, authentication, retries, rate limits, and what its errors mean.

Must not know tools, policies or accounts: it sends the one request that it is given.
"""
