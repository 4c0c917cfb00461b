"""The seats of a subnet as rows: what is sent, how little, and never more than a page can answer."""

from typing import Any

from subnetlab.network.metagraph import MetagraphSnapshot, NeuronSnapshot
from subnetlab.network.pay_history import PaidEpoch
from subnetlab.units import RAO_PER_TAO, U16_MAX, AlphaRao
from subnetlab_widgets.live import MAX_UNANSWERED
from subnetlab_widgets.metagraph_view.rows import FIELDS, MetagraphRows
from subnetlab_widgets.metagraph_view.widget import Metagraph

HEADER = {"name": "tiny-lm", "netuid": 2, "network": "devnet", "real": False}


def neuron(uid: int, **changes: Any) -> NeuronSnapshot:
    plain: dict[str, Any] = {
        "uid": uid, "hotkey": f"5Key{uid}", "coldkey": "5Cold", "active": True, "validator_permit": False,
        "incentive": 1000, "dividends": 0, "consensus": 0, "validator_trust": 0,
        "emission_alpha_rao": AlphaRao(RAO_PER_TAO), "stake_alpha_rao": AlphaRao(0), "last_update": 1,
        "registered_at": 1,
    }  # fmt: skip
    return NeuronSnapshot(**{**plain, **changes})


def graph(block: int, *neurons: NeuronSnapshot) -> MetagraphSnapshot:
    return MetagraphSnapshot(
        netuid=2, block=block, name="tiny-lm", tempo=8, last_step=block, owner_hotkey="5Key0",
        owner_coldkey="5Cold", neurons=neurons, weights={}, tao_in_rao=0, alpha_in_rao=0,
    )  # fmt: skip


def named(row: list[Any]) -> dict[str, Any]:
    return dict(zip(FIELDS, row, strict=True))


def test_a_role_is_what_the_chain_shows() -> None:
    table = MetagraphRows()
    voting = {"validator_permit": True, "validator_trust": U16_MAX, "dividends": 500, "incentive": 0}
    table.put(graph(9, neuron(0), neuron(1), neuron(2, **voting), neuron(3, validator_permit=True)), [])
    rows = [named(row) for row in table.rows]
    assert [row["role"] for row in rows] == ["owner", "miner", "validator", "miner"]
    assert (rows[2]["vtrust"], rows[2]["dividends"], rows[1]["incentive"]) == (1, 1, round(1 / 3, 6))
    assert rows[1]["pay"] == 1


def test_only_what_changed_is_told_and_a_new_page_gets_everything() -> None:
    table = MetagraphRows()
    table.put(graph(9, neuron(0), neuron(1)), [PaidEpoch(8, (1, RAO_PER_TAO))])
    first = table.news()
    assert first is not None
    assert (first["fresh"], len(first["rows"]), first["epochs"]) == (True, 2, [[8, [0, 1]]])
    assert table.news() is None
    table.put(graph(10, neuron(0), neuron(1, last_update=10)), [])
    second = table.news()
    assert second is not None
    assert (second["fresh"], [row[0] for row in second["rows"]], second["epochs"]) == (False, [1], [])
    table.forget()
    third = table.news()
    assert third is not None
    assert (third["fresh"], len(third["rows"]), len(third["epochs"])) == (True, 2, 1)


def test_time_that_was_turned_back_starts_the_table_anew() -> None:
    table = MetagraphRows()
    table.put(graph(30, neuron(0), neuron(1)), [PaidEpoch(16, (1, 1)), PaidEpoch(24, (1, 1))])
    table.news()
    table.put(graph(12, neuron(0)), [PaidEpoch(8, (1,))])
    news = table.news()
    assert news is not None
    assert (news["fresh"], news["seats"], [epoch[0] for epoch in news["epochs"]]) == (True, 1, [8])


def test_a_seat_is_marked_when_others_are_paid_and_it_is_not() -> None:
    def marks(*pay_of_one: int) -> bool:
        table = MetagraphRows()
        epochs = [PaidEpoch(8 * (i + 1), (5, paid)) for i, paid in enumerate(pay_of_one)]
        table.put(graph(99, neuron(0, hotkey="5Other"), neuron(1, incentive=0)), epochs)
        return named(table.rows[1])["unpaid"]

    assert marks(5, 5, 0, 0)
    assert marks(0, 0, 0)
    assert not marks(0, 0)  # too early to say
    assert not marks(5, 0, 0, 5)


class Recorded(Metagraph):
    """Keeps what would go to the page."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(HEADER)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent.append(content)

    def hear(self, content: Any) -> None:
        self._handle_custom_msg(content, [])

    def rows(self) -> list[dict[str, Any]]:
        return [content for content in self.sent if content["k"] == "rows"]


def test_nothing_is_sent_before_a_page_looks_and_then_everything() -> None:
    widget = Recorded()
    widget.see(graph(9, neuron(0)), [])
    assert widget.sent == []
    widget.hear({"k": "hello"})
    assert widget.rows()[0]["block"] == 9
    widget.close()


def test_a_page_that_does_not_answer_is_told_no_more_and_then_only_the_newest() -> None:
    widget = Recorded()
    widget.hear({"k": "hello"})
    for block in range(100):
        widget.see(graph(block, neuron(0, last_update=block)), [])
    assert len(widget.rows()) == MAX_UNANSWERED
    widget.hear({"k": "ack", "seq": MAX_UNANSWERED})
    assert [content["block"] for content in widget.rows()] == [*range(MAX_UNANSWERED), 99]
    widget.close()


def test_malformed_messages_are_dropped() -> None:
    widget = Recorded()
    widget.hear({"k": "hello"})
    for content in (
        None,
        "ack",
        {"k": "ack"},
        {"k": "ack", "seq": "1"},
        {"k": "ack", "seq": 10**9},
        {"k": 7},
    ):
        widget.hear(content)
    for block in range(2 * MAX_UNANSWERED):
        widget.see(graph(block, neuron(0)), [])
    assert len(widget.rows()) == MAX_UNANSWERED
    widget.close()


def test_a_state_is_said_once() -> None:
    widget = Recorded()
    widget.hear({"k": "hello"})
    for state in ("live", "live", "reconnecting", "reconnecting", "gone"):
        widget.state(state, "")
    said = [content["state"] for content in widget.sent if content["k"] == "state"]
    assert said == ["live", "reconnecting", "gone"]
    widget.close()
