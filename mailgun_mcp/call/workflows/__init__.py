"""Workflows: questions that take several calls of single tools, made with the guard rails and the log of each.

They must not reach Mailgun in another way, and change nothing. Every number of an answer is one that a single tool returned.
"""
