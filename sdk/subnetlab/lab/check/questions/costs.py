"""Exercises of tutorial 7, on cost: a household line, the processor time of a run, what a miner keeps."""

from typing import TYPE_CHECKING, Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Number, Slip
from subnetlab.record.baselines import ALONE

if TYPE_CHECKING:
    from subnetlab.lab.run import Run


def _line() -> Number:
    parameters, bits, uplink = 1e9, 32, 20e6
    return Number(
        value=parameters * bits / uplink,
        unit="seconds",
        slips=(
            Slip(parameters * 4 / uplink, "Those are bytes over bits: a byte has 8 bits."),
            Slip(
                parameters * bits / (uplink * 8), "The line is sold in bits already: do not count them twice."
            ),
            Slip(parameters / uplink, "Each parameter is a number of 32 bits."),
            Slip(uplink / (parameters * bits), "The ratio is upside down."),
        ),
    )


def _times(run: "Run") -> Number:
    spent = run.verdict().cpu_s
    alone = spent.baselines.get(ALONE, 0.0)
    ratio = spent.peers / alone if alone else 0.0
    return Number(
        value=ratio,
        close=0.02,
        slips=(
            Slip(spent.peers, "Those are the subnet's seconds; divide them by those of one alone."),
            Slip(spent.peers - alone, "That is the difference; asked is how many times as much."),
        ),
    )


def _left() -> Number:
    won, watts, hours, price = 0.002 * 250, 60, 24, 0.30
    return Number(
        value=won - watts / 1000 * hours * price,
        close=5e-3,
        slips=(
            Slip(won, "That is what it earns; the machine draws power."),
            Slip(won - watts * hours * price, "A kilowatt is a thousand watts."),
            Slip(won - watts / 1000 * price, "That is one hour; a day has 24."),
            Slip(won - watts / 1000 * hours, "Those are kilowatt hours; each costs 0.30 €."),
            Slip(watts / 1000 * hours * price, "That is what the power costs."),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="7.1",
        title="A plain update over a household line",
        answer=_line,
        look="Bits to send, divided by bits a second.",
        why="Nearly half an hour for one sentence: so updates are compressed, and sent seldom.",
    ),
    Exercise(
        number="7.2",
        title="The price of strangers",
        answer=_times,
        look="The row `processor_time` of the bill has both numbers.",
        why="This is what it costs not to have to trust anybody.",
        needs=("run",),
    ),
    Exercise(
        number="7.3",
        title="What a miner keeps",
        answer=_left,
        look="Earnings in €, less watts as kilowatts, times hours, times the price.",
        why="A little is left, and a fall of the price by a seventh takes it away.",
    ),
)
