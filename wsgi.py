"""`gunicorn wsgi:app` and `flask --app wsgi`."""

import sys

from dotenv import load_dotenv

load_dotenv()

from app import create_app  # noqa: E402 - the environment first

GIVE_UP = 3  # the status by which gunicorn knows that starting this worker again is of no use

try:
    app = create_app()
except ValueError as error:  # a setting the store cannot start with; the text names it
    sys.stderr.write(f"Satchel cannot start. {error}\n")
    raise SystemExit(GIVE_UP) from None
