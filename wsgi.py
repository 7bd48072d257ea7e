"""`gunicorn wsgi:app` and `flask --app wsgi`."""

from dotenv import load_dotenv

load_dotenv()

from app import create_app  # noqa: E402 - the environment first

try:
    app = create_app()
except ValueError as error:  # a setting the store cannot start with; the text names it
    raise SystemExit(f"Satchel cannot start. {error}") from None
