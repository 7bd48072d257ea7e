"""Pages: read the request, call one service, commit, answer."""
