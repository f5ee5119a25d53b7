"""What handlers get and give: the decoded request, replies and errors, and the three ways of paging.

It knows the model. It must not know any section, nor how a request came in.
"""
