"""Stores over moto's S3 server: the whole contract, places that credentials keep apart, and a run."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from subnetlab.errors import ObjectExists, StoreUnreachable
from subnetlab.store.base import Store
from subnetlab.store.bucket import ObjectStore
from subnetlab.store.objects import open_store
from subnetlab.store.patience import Patience

from . import bucket_contract as contract
from .s3_server import S3Server, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as found:
        yield found


@pytest.fixture(autouse=True)
def _as_anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")


@pytest.mark.parametrize("holds", contract.OF_A_STORE)
def test_a_bucket_is_a_store(server: S3Server, holds: Callable[[Store], None]) -> None:
    holds(open_store(server.address(f"contract-{holds.__name__}")))


@pytest.mark.parametrize("holds", [*contract.OF_AN_ADDRESS, contract.is_read_by_its_locator])
def test_an_address_leads_to_places(server: S3Server, holds: Callable[[str], None]) -> None:
    holds(server.address(f"address-{holds.__name__}"))


def test_the_server_itself_refuses_a_name_that_is_taken(server: S3Server) -> None:
    store = open_store(server.address("exclusive"))
    assert isinstance(store, ObjectStore)
    store.put("a", b"1")
    assert store._exclusive is True


def test_of_many_that_create_one_name_one_wins(server: S3Server) -> None:
    won: list[int] = []
    start = threading.Barrier(6)
    stores = [open_store(server.address("race")) for _ in range(6)]
    for number, store in enumerate(stores):
        store.put(f"warm-{number}", b"")

    def create(number: int) -> None:
        start.wait()
        try:
            stores[number].put("name", bytes([number]))
        except ObjectExists:
            return
        won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert stores[0].get("name", limit=10) == bytes(won)


def test_credentials_of_one_place_do_not_write_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server enforces it: each user's policy allows its own prefix alone."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    hasty = Patience(request_s=5, total_s=0.1)
    with s3_server("miner-0", "miner-1") as server:
        lines = (
            f"[{user}]\naws_access_key_id={key}\naws_secret_access_key={secret}\n"
            for user, (key, secret) in server.keys.items()
        )
        (tmp_path / "credentials").write_text("".join(lines))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        for user in server.keys:
            open_store(server.address(user), profile=user, patience=hasty).put("a", user.encode())
        for user, other in (("miner-0", "miner-1"), ("miner-1", "miner-0")):
            intruder = open_store(server.address(other), profile=user, patience=hasty)
            for name in ("a", "new"):
                with pytest.raises(StoreUnreachable, match="refuses") as refused:
                    intruder.put(name, b"squat")
                assert not any(part in str(refused.value) for key in server.keys.values() for part in key)
        for user in server.keys:
            mine = open_store(server.address(user), profile=user, patience=hasty)
            assert mine.get("a", limit=9) == user.encode()
