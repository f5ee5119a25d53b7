"""Asks Mailgun for the names of the account's domains."""

from mailgun_mcp.settings import Settings, SettingsError


def domains(options: Settings) -> list[str]:
    """Return the names of the account's domains. Raises SettingsError with the reason if they cannot be read."""
    import anyio

    from mailgun_mcp.app.account_settings import account_settings
    from mailgun_mcp.app.mailgun_clients import create_client
    from mailgun_mcp.call.domain_directory import domain_names
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.errors import MailgunError

    accounts = [account.applied(options) for account in account_settings(options)] or [options]

    async def read() -> list[str]:
        names: list[str] = []
        for each in accounts:
            async with create_client(each) as client:
                names += await domain_names(Catalogue.load(), client, each.subaccount)
        return names

    try:
        return anyio.run(read)
    except MailgunError as error:
        raise SettingsError(f"the account's domains cannot be read: {error}") from error
