"""Pages of visitors, kept rendered until the catalogue changes.

A visitor without a session sees what every other one sees, so the page is rendered once for each
version of the catalogue. It is also made anew every hour: its forms hold a token good for a day.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from flask import Response, current_app, request

from app import clock
from app.security import has_session
from app.services import catalog_version

MOST_PAGES = 500
HOUR = 3600

Key = tuple[str, ...]
Stamp = tuple[int, int]
View = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Page:
    stamp: Stamp
    body: bytes
    etag: str


class KeptPages:
    """The pages used last, at most so many, each good for one stamp."""

    def __init__(self, most: int = MOST_PAGES) -> None:
        self._most = most
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, stamp: Stamp) -> Page | None:
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.stamp != stamp:
                return None
            self._pages.move_to_end(key)
            return page

    def put(self, key: Key, page: Page) -> None:
        with self._lock:
            self._pages[key] = page
            self._pages.move_to_end(key)
            if len(self._pages) > self._most:
                self._pages.popitem(last=False)


def kept(*arguments: str) -> Callable[[View], Callable[..., Response | str]]:
    """A view whose page depends on its path, these arguments of the query, and the catalogue."""

    def decorate(view: View) -> Callable[..., Response | str]:
        @wraps(view)
        def answer(**values: str) -> Response | str:
            if has_session():
                return view(**values)
            key = (request.path, *(request.args.get(name, "") for name in arguments))
            stamp = (catalog_version.current(), int(clock.now().timestamp()) // HOUR)
            pages: KeptPages = current_app.extensions.setdefault("kept_pages", KeptPages())
            page = pages.get(key, stamp)
            if page is None:
                page = _page(stamp, view(**values))
                pages.put(key, page)
            response = Response(page.body, mimetype="text/html")
            response.set_etag(page.etag)
            response.make_conditional(request)
            return response

        return answer

    return decorate


def _page(stamp: Stamp, text: str) -> Page:
    response = Response(text)
    response.add_etag()
    return Page(stamp, response.get_data(), response.get_etag()[0] or "")
