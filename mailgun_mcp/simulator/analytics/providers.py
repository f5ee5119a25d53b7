"""The mailbox providers, devices and countries that the older statistics list."""

LEGACY_PROVIDERS = (
    *("gmail.com", "yahoo.com", "hotmail.com", "aol.com", "icloud.com", "mail.ru", "comcast.net", "outlook.com"),
    *("msn.com", "live.com", "orange.fr", "sbcglobal.net", "att.net", "ymail.com", "hotmail.co.uk", "verizon.net"),
    *("bellsouth.net", "me.com", "yandex.ru", "seznam.cz", "yahoo.co.uk", "hotmail.fr", "yahoo.com.tw"),
    *("rocketmail.com", "mailinator.com", "qq.com"),
)
DEVICES = ("desktop", "mobile", "tablet", "unknown")
_CODES = (
    "adaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjblbmbnbobqbrbsbtbvbwbybzcacccdcfcgchcickclcmcncocr"
    "cucvcwcxcyczdedjdkdmdodzeceeegeheresetfifjfkfmfofrgagbgdgegfggghgiglgmgngpgqgrgsgtgugwgyhkhmhnhrhthu"
    "idieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlsltlulvlymamcmdmemfmgmhmkmlmmmnmompmq"
    "mrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkplpmpnprpsptpwpyqarerorsrurwsasbscsdsesgshsi"
    "sjskslsmsnsosrssstsvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugumusuyuzvavcvevgvivnvuwfwsyeytzazmzw"
)
COUNTRIES = tuple(_CODES[start : start + 2] for start in range(0, len(_CODES), 2))
"""Country codes of ISO 3166-1 alpha-2."""
OTHER = "other"


def legacy_provider(domain: str) -> str:
    """Return the name that the older statistics give to a recipient domain's provider."""
    return domain if domain in LEGACY_PROVIDERS else OTHER
