"""Judges an agent: tasks on simulated accounts, and programs that check what was done and said.

A task is a request in a person's words, an account of the simulator, a policy, and a goal. An agent works on it through a
session, which is the server in this process or any MCP server. The verdict comes from the requests that reached the simulator,
from the account afterwards, and from the words of the answer. No model judges, and nothing here may reach a real account.
"""
