"""`python -m subnetlab.devnet.metadata.record SOURCE FILE`: keep a runtime's metadata for the node to serve.

SOURCE is any node (`ws://…`, `http://…`) or the `golden.json` of the SDK's source distribution. Documentation
is dropped, but for that of errors.
"""

import argparse
import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from subnetlab.devnet.chain.scale import Reader, Truncated
from subnetlab.devnet.metadata import Recorded, document, newer
from subnetlab.errors import MetadataInvalid, NodeUnreachable, SubnetLabError

TIMEOUT_SECONDS = 60
VERSION_15 = "0x0f000000"


def from_node(endpoint: str) -> Recorded:
    """Ask a node for its runtime's metadata.

    Raises:
        NodeUnreachable: nothing answers, or it answers with an error.
        MetadataInvalid: the runtime has no version 15.
    """
    version = _ask(endpoint, "state_getRuntimeVersion", [])
    answer = _ask(endpoint, "state_call", ["Metadata_metadata_at_version", VERSION_15])
    return Recorded(
        spec_version=int(version["specVersion"]),
        transaction_version=int(version["transactionVersion"]),
        v15=_bare(answer),
    )


def from_golden(path: Path) -> Recorded:
    """Read the SDK's golden vectors.

    Raises:
        MetadataInvalid: the file is something else.
    """
    try:
        golden = json.loads(path.read_text(encoding="utf-8"))
        network = golden["network"]
        return Recorded(
            spec_version=int(network["spec_version"]),
            transaction_version=int(network["transaction_version"]),
            v15=_bare(golden["metadata"]["v15_hex"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MetadataInvalid(f"{path} holds no golden metadata: {error}.") from error


def stripped(found: Recorded) -> Recorded:
    """The same without documentation, and with what the SDK reads of newer runtimes."""
    v15 = document.write(newer.with_newer(document.without_docs(document.read(found.v15))))
    return Recorded(spec_version=found.spec_version, transaction_version=found.transaction_version, v15=v15)


def _bare(answer: str) -> bytes:
    """The document inside an `Option<OpaqueMetadata>`."""
    reader = Reader(bytes.fromhex(answer.removeprefix("0x")))
    try:
        if not reader.byte():
            raise MetadataInvalid("The runtime has no metadata of version 15.")
        return reader.prefixed()
    except Truncated as error:
        raise MetadataInvalid(f"The runtime's metadata is cut short: {error}.") from error


def _ask(endpoint: str, method: str, params: list[Any]) -> Any:
    url = endpoint.replace("ws://", "http://", 1).replace("wss://", "https://", 1)
    if not url.startswith(("http://", "https://")):
        raise NodeUnreachable(f"{endpoint} is not an endpoint.", hint="Give ws://host:port or a file.")
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310 - likewise
            answer = json.loads(reply.read())
    except (OSError, ValueError) as error:
        raise NodeUnreachable(f"{endpoint} does not answer: {error}.") from error
    if "error" in answer:
        raise NodeUnreachable(f"{endpoint} refused {method}: {answer['error'].get('message')}.")
    return answer["result"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m subnetlab.devnet.metadata.record", description=__doc__)
    parser.add_argument("source", help="an endpoint, or golden.json")
    parser.add_argument("file", type=Path, help="where to write")
    options = parser.parse_args(arguments)
    try:
        is_file = "://" not in options.source
        found = stripped(from_golden(Path(options.source)) if is_file else from_node(options.source))
        options.file.write_bytes(found.packed())
    except (SubnetLabError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"recorded spec {found.spec_version}: {options.file.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
