"""Judges agents: gives them tasks on simulated accounts, and checks by program what they did and said.

A task consists of a request in a person's words, an account of the simulator, a policy, and a goal. An agent works on
it through a session, which is the server in this process or any MCP server. The verdict depends on the requests that
reached the simulator, the final state of the account, and the words of the answer. No model judges, and nothing here
may reach a real account.
"""
