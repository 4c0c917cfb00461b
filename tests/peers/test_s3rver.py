"""Stores over an S3 server of others that ignores If-None-Match: the contract holds all the same."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.peers.place import JS
from tests.sdk.store import bucket_contract as contract

from subnetlab.errors import ObjectExists
from subnetlab.store.base import Store
from subnetlab.store.bucket import ObjectStore
from subnetlab.store.objects import open_store


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("s3rver")
    command = ["node", str(JS / "s3rver.js"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "S3RVER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "S3RVER")


def address(endpoint: str, prefix: str) -> str:
    return f"s3://runs/{prefix}?endpoint={endpoint}&region=us-east-1"


@pytest.mark.parametrize("holds", contract.OF_A_STORE)
def test_a_bucket_is_a_store(endpoint: str, holds: Callable[[Store], None]) -> None:
    holds(open_store(address(endpoint, f"contract-{holds.__name__}")))


@pytest.mark.parametrize("holds", contract.OF_AN_ADDRESS)
def test_an_address_leads_to_places(endpoint: str, holds: Callable[[str], None]) -> None:
    holds(address(endpoint, f"address-{holds.__name__}"))


def test_a_server_that_overwrites_is_found_out_and_asked_first(endpoint: str) -> None:
    store = open_store(address(endpoint, "overwrites"))
    assert isinstance(store, ObjectStore)
    store.put("a", b"first")
    assert store._exclusive is False
    with pytest.raises(ObjectExists):
        store.put("a", b"second")
    again = open_store(address(endpoint, "overwrites"))
    with pytest.raises(ObjectExists):
        again.put("a", b"third")
    assert store.get("a", limit=5) == b"first"
