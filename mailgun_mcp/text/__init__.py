"""Text that people write and read: YAML, durations, option values, misspelt names, invisible characters, HTML as text.

It must not know Mailgun, tools or policies: every other package may import it.
"""
