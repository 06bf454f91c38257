"""The REST API, as a client speaks it."""

import json
import urllib.error
import urllib.request

from tests.e2e.processes import HOST
from tests.e2e.senders import any_certificate

REQUEST_LIMIT = 60


class RestClient:
    """Errors come as urllib.error.HTTPError."""

    def __init__(self, port, scheme="https"):
        self._base = f"{scheme}://{HOST}:{port}"
        self.token = None

    def request(self, path, body=None):
        """The octets of the answer."""
        request = urllib.request.Request(self._base + path)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.token is not None:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=REQUEST_LIMIT,
                                    context=any_certificate()) as answer:
            return answer.read()

    def get(self, path):
        return json.loads(self.request(path))

    def log_in(self, user, password):
        answer = json.loads(self.request("/auth/login", {"username": user, "password": password}))
        self.token = answer["token"]
        return self

    def all_messages(self, folder, page_size=50):
        """The messages of all pages, in their order."""
        found = []
        page = 1
        while True:
            answer = self.get(f"/folders/{folder}/messages?page={page}&page_size={page_size}")
            found += answer["messages"]
            if page >= answer["pages"]:
                return found
            page += 1


def status_of(call):
    """The HTTP status of a call that must fail."""
    try:
        call()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    raise AssertionError("the call succeeded")
