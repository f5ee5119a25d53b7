"""Asks Mailgun for the names of the account's domains."""

from mailgun_mcp.settings import Settings, SettingsError


def domains(options: Settings) -> list[str]:
    """Return the names. Raises SettingsError, which says why they cannot be read."""
    import anyio

    from mailgun_mcp.app.compose import create_services
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.errors import MailgunError
    from mailgun_mcp.undo.page_reader import PageReader, largest_page

    operation = Catalogue.load().find("list_domains")
    services = create_services(options)

    async def read() -> list[str]:
        async with services.client as client:
            pages = PageReader(client, options.subaccount).pages(operation, largest_page(operation))
            return [str(item["name"]) async for page in pages for item in (page.body or {}).get("items", [])]

    try:
        return anyio.run(read)
    except MailgunError as error:
        raise SettingsError(f"the account's domains cannot be read: {error}") from error
