"""The chat agent in Slack. A thread is a conversation; a click by a person who may answer is an answer.

Only people whom the operator's file maps to principals count. Of a user, only Slack's ids are read. Must not make calls
or keep conversations: the runner does, and the store keeps approvals. Third-party text is shown as plain text.
`slack-bolt` parses what Slack sends, over HTTP (`events_route`) or a socket (`socket`).
"""
