"""Text that people write and read: YAML, durations, values of options, suggestions for misspelt names, invisible characters, HTML as text.

It must not know Mailgun, tools or policies: every other room may import it.
"""
