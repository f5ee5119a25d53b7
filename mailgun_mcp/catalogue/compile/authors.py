"""Who wrote each text of a response: the same name has the same author, unless the operation's `authors` say otherwise.

What is not stated stops the compile, and what the catalogue does not know counts as third-party text when it arrives.
"""

from collections.abc import Iterator

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.openapi.extension import OURS, Author
from mailgun_mcp.catalogue.types import Schema

NAMES: dict[Author, str] = {
    "account": """
        access_level account.name account_group account_name actions active_selector alert_channels archive_to
        assignable_to_pools authority bodies campaigns comment comparator createdBy credentials description dimension
        dimension_value dimensions display_name display_value dkim_host domain domain.name domain_name email engine
        envelope.i-ip-pool-name event_types expression filters good_reputation headers html_footer
        i-delivery-optimizer initiated_by linked_domains list-id local_part login mailbox mailfrom_host mailing-list
        metric mjml name new_senders note pool poor_reputation reply_preference req requestor role routes selector
        signing_domain smtp_login spam_action spec tag template text_footer tracking_host url urls user_name values
        version web_prefix web_scheme
    """,
    "mailgun": """
        @timestamp active First Last Next Previous _duration account.id account_id api-key-id band behavior bot bounce-type
        bounce_code bounce_rate browser category certificate city class clicked_rate client client-type code
        complained_rate completed_at country created_at createdAt criticality delayed_first_attempt_rate delayed_rate
        delivered_rate device-type did_you_mean disabled_reason domain_id duration end enhanced-code entity-id
        entity-name entity_id env envelope.i-ip-pool-id envelope.sending-ip event expires_at explanation fail_rate
        features first first-seen first_seen first_updated_at full_thumbnail github_user_id group-id hard_bounce_rate
        hour_started_at http_signing_key i-ip-pool-id id identifier ip ip_address ips is-text items key kind last
        last-seen last_checked last_seen latest_value limit location log-level message metadata method
        migration_status new_band next opened_ip opened_rate originating-ip os owning_account_id parent-id parent_account_id
        password_updated_at period permanent_fail_rate plan_last_updated_at plan_started_at pool_id prev_band previous
        primary-dkim prior_details prior_method priority programming_language rdns reason recipient-provider record_type
        reference_id region registered_at resolution result risk root_address rotation_enabled rotation_interval
        rule-id salesforce_user_id scheduled-for screenshots secret sending-host sending-ip sent_within_stage severity
        short-explanation sid size_bytes smtp_password soft_bounce_rate sort stage_start_time stage_started_at start
        state status subaccount_id tags task-id temporary_fail_rate tfa_created_at thumbnail time time_format
        time_zone timestamp timezone transport type unique_clicked_rate unique_opened_rate unsubscribed_rate until
        updated_at valid value webhook_id
    """,
    "mail": "content-type filename from mail-from message-id sender subject user-variables",
    "recipient": "address recipient recipient-domain recipients targets to",
    "receiving server": "bounce_message error last-message mx-host sample-text",
    "recipient's client": "client-name client-os user-agent",
    "list member": "member vars",
    "DNS": "cached",
}
"""Author -> the names of what they write. `account` is the account's own people and programs."""

AUTHORS: dict[str, Author] = {name: author for author, names in NAMES.items() for name in names.split()}


def state_authors(record: Node, file: str) -> None:
    """State in the record who wrote what of a result, as an object that is shaped like it.

    In it None is the account or Mailgun, a text is the third party, and `*` stands for all other fields and for items.
    Raises CatalogueError for a text that nobody has attributed.
    """
    stated: dict[str, Author] = record.pop("stated_authors")
    where = f"{file}: {record['tool']['name']}"
    unused = set(stated)
    tree = _tree(record["tool"]["outputSchema"], "", "", stated, unused, where)
    # An answer that is no JSON becomes the message of the result.
    record["authors"] = {"message": None, **tree} if isinstance(tree, dict) else tree
    if unused:
        raise CatalogueError(f"{where}: authors names what the response does not have: {', '.join(sorted(unused))}")
    record["tool"]["annotations"]["openWorldHint"] = record["risk"] == "send" or _is_third_party(record["authors"])


def _tree(
    schema: Schema, path: str, name: str, stated: dict[str, Author], unused: set[str], where: str
) -> Node | str | None:
    author = stated.get(path or "/")
    if author is not None:
        unused.discard(path or "/")
        return _label(author)
    children = dict(_children(schema))
    if children:
        return {
            key: _tree(child, f"{path}/{key}", name if key == "*" else key, stated, unused, where)
            for key, child in children.items()
        }
    if not path:
        return {}
    if not _can_hold_text(schema):
        return None
    if name not in AUTHORS:
        raise CatalogueError(f"{where}: who writes {path}? State it in `authors`, or by name in compile/authors.py")
    if AUTHORS[name] == "mailgun" and path != "/next" and "object" in (schema.get("type") or ()):
        # Mailgun writes the object, but nobody knows what is in it.
        return {}
    return _label(AUTHORS[name])


def _children(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from (schema.get("properties") or {}).items()
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield "*", inner


def _can_hold_text(schema: Schema) -> bool:
    kinds = schema.get("type")
    return kinds is None or "string" in kinds or "object" in kinds or "array" in kinds


def _label(author: Author) -> str | None:
    return None if author in OURS else author


def _is_third_party(tree: Node | str | None) -> bool:
    return any(map(_is_third_party, tree.values())) if isinstance(tree, dict) else tree is not None
