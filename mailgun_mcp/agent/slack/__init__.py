"""The chat agent in Slack: a thread is a conversation, and a click of the person who may answer is an answer.

Only people count whom the operator's file maps to principals; what Slack says of a user beside the ids is not read. Must not
make calls or keep conversations: that is the runner's, and an approval is the store's. What third parties wrote is shown as
plain text. `slack-bolt` takes apart what Slack sends, over HTTP (`events_route`) or a socket (`socket`).
"""
