"""A student's own place: what the class refuses is told in its own words."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from subnetlab.errors import StoreUnreachable
from subnetlab.store.class_place import ClassPlace


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            json.dumps({"jsonrpc": "2.0", "id": None, "error": "You write to your own place alone: s3."}),
            "You write",
        ),
        ("Too large.", "Too large."),
        ('{"error": 3}', '{"error": 3}'),
        ("", "it answered 403"),
    ],
)
def test_a_refusal_is_the_sentence_of_the_class(body: str, said: str) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(403)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            place = ClassPlace(f"http://127.0.0.1:{server.server_port}/objects/s1")
            with pytest.raises(StoreUnreachable) as refused:
                place.put("a", b"1")
        finally:
            server.shutdown()
            serving.join()
    assert str(refused.value).startswith(f"The class did not take 'a': {said}")
    assert "jsonrpc" not in str(refused.value)
