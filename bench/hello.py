"""The least a Flask app can do; what the store's pages are held against."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.get("/")
@app.get("/healthz")
def hello() -> str:
    return "hello"
