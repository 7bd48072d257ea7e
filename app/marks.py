"""Marks on views, read where every request passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

View = TypeVar("View", bound=Callable[..., Any])


class Mark:
    """A decorator that leaves a view as it is and is remembered on it."""

    def __init__(self, name: str) -> None:
        self.name = f"satchel_{name}"

    def __call__(self, view: View) -> View:
        vars(view)[self.name] = True
        return view

    def is_here(self) -> bool:
        """Whether the view of the current request carries this mark."""
        view = current_app.view_functions.get(request.endpoint or "")
        return view is not None and self.name in vars(view)


public = Mark("public")  # may be kept by caches and found by search engines; all others may not
no_referrer = Mark("no_referrer")  # links that lead away from here tell nobody where from
visitor_form = Mark("visitor_form")  # its form also stands on pages without a session
