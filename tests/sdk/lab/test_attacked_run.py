"""A fleet with attackers among its miners, from the word in `LocalFleet` to what the pages say of it."""

import subnetlab as sl
from subnetlab.lab.session import Net

LIMIT_S = 300.0


def test_the_record_and_every_page_name_the_attack(net: Net) -> None:
    run = net.create_subnet("attacked", wallet="alice").train(
        model=sl.models.TinyGPT("binder"),
        data=sl.data.stdlib(200_000),
        strategy=sl.strategies.SparseLoCo(inner_steps=2),
        rounds=6,
        fleet=sl.LocalFleet(miners=4, validators=1, baseline=False, attackers={"sign_flip": 1}),
    ).wait(timeout=LIMIT_S)  # fmt: skip
    view = run.view
    (flipper,) = view.uids("sign_flip")
    assert view.cheating == [flipper]
    assert (view.role(flipper), view.seated_as(flipper)) == ("sign_flip", "miner")
    assert len(view.honest) == 3
    assert view.mining == sorted([*view.honest, flipper])
    assert view.pay.total(flipper) == 0
    assert min(view.pay.total(uid) for uid in view.honest) > 0
    verdict = run.verdict()
    assert "The sign flipper earned 0 % of what the median honest miner earned." in verdict.sentences()
    assert "a sign flipper's pay (highest)" in str(verdict)
    assert run.explain(flipper).role == "sign_flip"
    miners = run.frame("miners")
    assert set(miners.filter(uid=flipper)["role"]) == {"sign_flip"}
    assert set(miners.filter(uid=flipper)["verdict"]) == {"gated"}
