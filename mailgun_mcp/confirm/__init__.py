"""A person's yes to one exact call: the form, who asks it, pending approvals, grants and notification hooks.

`confirm` is the stage, `form` what is shown, `asker` how an answer is read. It must not know how a target is read, how
a call is sent, or MCP: `undo`, `call` and `server` know that.
"""
