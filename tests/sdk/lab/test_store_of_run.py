"""A whole run over an S3 server: the bits of a folder, a place per peer, and no key on record."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tests.sdk.store.s3_server import S3Server, s3_server

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, StoreUnreachable
from subnetlab.lab.run import Run
from subnetlab.record.events import RoundClosed
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.settings import runs_folder
from subnetlab.store.objects import open_store

WORDS = "the subnet pays every miner whose payload removes loss on data that a beacon drew after its commit"
SECRET = "a-key-that-is-on-no-record"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as found:
        yield found


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sl.Net]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        with sl.connect(sealing="manual") as found:
            yield found


def trained(net: sl.Net, name: str, store: str) -> Run:
    drawn = np.random.default_rng(7)
    run = net.create_subnet(name, wallet="alice").train(
        model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
        data=sl.data.text(" ".join(drawn.choice(WORDS.split(), 30_000)), name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=4),
        rounds=2, batch_size=2, seed=7, deterministic=True,
        fleet=sl.LocalFleet(miners=2, validators=1, baseline=False, store=store),
    )  # fmt: skip
    run.wait(timeout=300)
    return run


def thetas(run: Run) -> list[str]:
    events = (entry.event for entry in read(run.folder / FILE_NAME))
    return [event.theta_hash for event in events if isinstance(event, RoundClosed)]


def test_a_run_over_s3_reaches_the_same_bits_as_over_a_folder(net: sl.Net, server: S3Server) -> None:
    near = trained(net, "near", "")
    far = trained(net, "far", server.address("lab"))
    assert len(thetas(far)) == 2
    assert thetas(far) == thetas(near)
    root = open_store(server.address(f"lab/{far.folder.name}"))
    held = {name.partition("/")[0] for name in root.names("")}
    assert {str(uid) for uid in (*far.view.uids("miner"), *far.view.uids("validator"))} <= held
    assert not (far.folder / "store").exists()
    first = far.state_dict(round=1)
    assert all(torch.equal(first[name], part) for name, part in near.state_dict(round=1).items())
    for path in far.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_a_store_that_does_not_answer_starts_nothing(net: sl.Net, server: S3Server) -> None:
    before = set(runs_folder().glob("*"))
    subnet = net.create_subnet("gone", wallet="alice")
    seats = len(subnet.metagraph().neurons)
    with pytest.raises(StoreUnreachable, match="did not list"):
        subnet.train(
            model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
            data=sl.data.text(WORDS * 100, name="words"), rounds=1, batch_size=2,
            fleet=sl.LocalFleet(
                miners=1, validators=1, baseline=False,
                store="s3://runs/x?endpoint=http://127.0.0.1:1&region=us-east-1",
            ),
        )  # fmt: skip
    assert len(subnet.metagraph().neurons) == seats
    assert set(runs_folder().glob("*")) == before


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("memory", "cannot write"),
        ("https://host/x", "cannot write"),
        ("s3://", "no bucket"),
        ("ftp://host", "speaks"),
        (f"s3://bucket?secret_access_key={SECRET}", "credentials"),
        (7, "store is an int"),
    ],
)
def test_a_store_that_peers_cannot_share_is_refused(store: str, said: str) -> None:
    with pytest.raises(ArgumentInvalid, match=said) as refused:
        sl.LocalFleet(store=store)
    assert SECRET not in str(refused.value)
