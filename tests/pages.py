"""A visitor's browser without scripts: fills in forms and checks every page it gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db

VOID_OF_LABEL = {"hidden", "submit", "button", "image", "reset"}


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a test wants to know about a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.title = ""
        self.headings = 0
        self.faults: list[str] = []
        self._labels: set[str] = set()
        self._fields: list[dict[str, str]] = []
        self._label_depth = 0
        self._in_title = False
        self._in_svg = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if "style" in given or tag == "style":
            self.faults.append(f"inline style in <{tag}>")
        if any(name.startswith("on") for name in given):
            self.faults.append(f"inline handler in <{tag}>")
        if tag == "script" and "src" not in given and given.get("type") != "application/ld+json":
            self.faults.append("inline script")
        self._in_svg += tag == "svg"
        self._in_title |= tag == "title" and not self._in_svg
        self.headings += tag == "h1"
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "label":
            self._label_depth += 1
            self._labels.add(given.get("for", ""))
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        if tag in {"input", "select", "textarea", "button"}:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        named = self._label_depth or "aria-label" in given or "aria-labelledby" in given
        if tag != "button" and kind not in VOID_OF_LABEL and not named:
            self._fields.append(given)
        unchecked = kind in {"checkbox", "radio"} and "checked" not in given
        if self.forms and given.get("name") and tag != "button" and not unchecked:
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg":
            self._in_svg -= 1
        if tag == "title":
            self._in_title = False
        if tag == "label":
            self._label_depth -= 1

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def all_faults(self) -> list[str]:
        """Everything on this page that no page of the store may have."""
        faults = list(self.faults)
        if not self.title.strip():
            faults.append("no title")
        if self.headings != 1:
            faults.append(f"{self.headings} h1")
        faults += [f"no label: {f}" for f in self._fields if f.get("id", "-") not in self._labels]
        faults += [
            f"no CSRF token: {form.action}"
            for form in self.forms
            if form.method == "post" and not form.fields.get("csrf_token")
        ]
        return faults


class Client(FlaskClient):
    """A test client that looks at every page it gets, and sends forms as a browser would."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.commit()  # what the test itself has read or written holds no lock
        with self.application.app_context():  # its own, as in the store: no request sees another's
            response = super().open(*args, **kwargs | {"buffered": True})
        if response.mimetype == "text/html" and b"<html" in response.data:
            faults = Page(response.text).all_faults()
            assert not faults, f"{response.request.path}: {faults}"
        assert response.status_code != 500, response.text
        return response

    def page(self, path: str, *, status: int = 200) -> Page:
        """The page at this address, redirects followed."""
        response = self.get(path, follow_redirects=True)
        assert response.status_code == status, f"{path}: {response.status_code}\n{response.text}"
        return Page(response.text)

    def submit(
        self, path: str, action: str = "", *, follow: bool = False, **fields: Any
    ) -> TestResponse:
        """Fill in and send the form on the page at `path` whose action contains `action`."""
        forms = [
            form
            for form in self.page(path).forms
            if form.method == "post" and action in form.action
        ]
        assert forms, f"no form for “{action}” at {path}"
        form = forms[0]
        unknown = set(fields) - set(form.fields)
        assert not unknown, f"the form has no field {unknown}; it has {set(form.fields)}"
        return self.post(
            form.action or path, data={**form.fields, **fields}, follow_redirects=follow
        )
