"""“Did you mean …?” for addresses at well-known mail domains, one slip of the finger away."""

from difflib import get_close_matches

DOMAINS = (
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "hotmail.com", "hotmail.co.uk",
    "outlook.com", "live.com", "msn.com", "icloud.com", "me.com", "aol.com", "proton.me",
    "protonmail.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "orange.fr",
    "free.fr", "laposte.net", "libero.it", "mail.ru", "yandex.ru", "qq.com", "163.com",
    "fastmail.com", "zoho.com", "tutanota.com",
)  # fmt: skip


def suggestion(email: str) -> str | None:
    """The address that was probably meant, or None when this one looks right."""
    name, _, domain = email.strip().lower().rpartition("@")
    if not name or domain in DOMAINS:
        return None
    close = get_close_matches(domain, DOMAINS, n=1, cutoff=0.85)
    return f"{name}@{close[0]}" if close else None
