"""The words of the store's error pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How one kind of error looks to whoever ran into it."""

    status: int
    title: str
    text: str | None = None  # None: the error's own words
    retry_after: int | None = None  # seconds


NOT_FOUND = Answer(
    status=404,
    title="This page is not here",
    text="The address may be mistyped, or what it led to is gone.",
)
BUSY = Answer(
    status=503,
    title="The store is busy",
    text="Nothing was lost and nothing was charged. Please try again in a moment.",
    retry_after=5,
)
EXPIRED_FORM = Answer(
    status=400,
    title="This form has expired",
    text="What you typed is kept below. Nothing has been sent yet.",
)
FROM_ELSEWHERE = Answer(
    status=400,
    title="This form came from another site",
    text="For your safety it was not accepted. Please begin again from the store's own pages.",
)
KEY_MISSING = Answer(
    status=503,
    title="This page cannot be made right now",
    text=(
        "The store has lost the key that your links were made with. Nothing of your order is lost,"
        " and links you already have still open; please try again later."
    ),
    retry_after=3600,
)
FILE_MISSING = Answer(
    status=503,
    title="This file cannot be fetched right now",
    text=(
        "No download was counted. It has been written down for the store to mend;"
        " please try again later."
    ),
    retry_after=600,
)

# status → title, text, seconds after which to try again
_WORDS: dict[int, tuple[str, str, int | None]] = {
    400: (
        "The store did not understand that",
        "Please go back, check what you entered and try again.",
        None,
    ),
    401: ("Please sign in", "This page belongs to an account.", None),
    403: ("This is not yours to open", "Another account may have access to it.", None),
    405: ("That does not work here", "This address does not take that kind of request.", None),
    409: ("That has changed meanwhile", "Please look at the page again before you go on.", None),
    410: ("This is no longer here", "It was here once and is gone for good.", None),
    413: ("That is too much", "What was sent is larger than the store accepts.", None),
    415: ("The store cannot read that", "It was sent in a form the store does not know.", None),
    416: ("That part does not exist", "The file is shorter than what was asked for.", None),
    422: (
        "Something is missing or wrong",
        "Please go back, check what you entered and try again.",
        None,
    ),
    429: ("Too many tries", "Please wait a little, then try again.", 60),
    500: (
        "Something went wrong here",
        "The fault is ours. It has been written down; please try again.",
        None,
    ),
    502: ("A service we rely on is down", "Please try again in a moment.", 30),
}

HTTP_ANSWERS: dict[int, Answer] = {
    404: NOT_FOUND,
    503: BUSY,
    **{
        status: Answer(status=status, title=title, text=text, retry_after=wait)
        for status, (title, text, wait) in _WORDS.items()
    },
}
