"""The names of the commands, without loading any of them."""

COMMANDS = {
    "serve": "run the MCP server",
    "chat": "administer an account by chat, in the terminal",
    "demo": "watch an assistant use the simulator, step by step",
    "eval": "evaluate an agent or model on the simulator, with tasks that are checked automatically",
    "simulator": "run the Mailgun simulator as an HTTP server, or control a running one",
    "tools": "list, show, find, export and call tools; presets, and what tools cost",
    "skills": "list, install and export the skills: procedures that a model reads before it uses the tools",
    "spec": "compare an OpenAPI file with the catalogue",
    "policy": "check, explain, test and show a policy, or replay recorded calls against it",
    "approvals": "answer pending approvals, and grant calls for a limited time",
    "accounts": "list and rename accounts, and accept a new API key for one",
    "tokens": "make, list and revoke tokens of the callers of an HTTP server",
    "whoami": "show who you are to the server: principal, scopes, account, policy",
    "audit": "read, verify and prune the audit log",
    "undo": "list and restore what calls removed or overwrote",
    "secrets": "list, show and delete secrets that were withheld from the model",
    "health": "ask a running HTTP server whether it is ready",
    "doctor": "check API key, region, network and clock",
    "install": "add this server to the configuration of an MCP client",
}
"""Command -> its description in help and docs."""
