"""MCP: tools, prompts, resources, completions and elicitation, over stdio, Streamable HTTP and SSE.

The only package that speaks MCP. It passes calls to `call.pipeline` and must not decide about them or know Mailgun.
"""
