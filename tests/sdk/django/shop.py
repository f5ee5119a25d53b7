"""A small Django site that sends with django-anymail and receives its webhooks.

Run by ../test_anymail.py, which says where the simulator is. Prints one JSON object a call: what failed of it.
"""

import json
import sys
import traceback

from tests.sdk.django import receiving, sending
from tests.sdk.django.mail_site import DOMAIN, api, server

api("POST", "/v4/domains", data={"name": DOMAIN})
api("PUT", f"/v4/domains/{DOMAIN}/verify")
for group, calls in (("sending", sending.CALLS), ("webhooks", receiving.CALLS)):
    for title, call in calls.items():
        try:
            call()
            failed = None
        except Exception:  # noqa: BLE001 - reported as the call's failure
            failed = traceback.format_exc()
        sys.stdout.write(json.dumps({"group": group, "call": title, "failed": failed}) + "\n")
server.shutdown()
