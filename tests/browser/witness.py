"""Sees everything in a browser that no page of the store may do."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Violations of the content security policy are told to the page alone.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => console.error(
  `securitypolicyviolation: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Witness:
    """Writes down errors of scripts, blocked content, requests to elsewhere and failed answers."""

    def __init__(self, context: BrowserContext, store_url: str) -> None:
        self.faults: list[str] = []
        self._home = store_url
        self._refused: set[str] = set()  # pages that answered 4xx, which Chromium tells as an error
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", self._broke)
        context.on("request", self._left)
        context.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        url = message.location.get("url", "")
        if not message.text.startswith("Failed to load resource") or url not in self._refused:
            self.faults.append(f"console {message.type}: {message.text} ({url})")

    def _broke(self, error: WebError) -> None:
        self.faults.append(f"script error: {error.error}")

    def _left(self, request: Request) -> None:
        if request.is_navigation_request() or request.url.startswith("data:"):
            return
        page = request.frame.url
        if self._is_ours(page) and not self._is_ours(request.url):
            self.faults.append(f"{page} asked another origin: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status < 400 or not self._is_ours(response.url):
            return
        if response.request.is_navigation_request() and response.status < 500:
            self._refused.add(response.url)
        else:
            self.faults.append(f"{response.status} for {response.url}")

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self._home)[:2]
