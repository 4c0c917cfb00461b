"""Exercises of tutorial 9, on the public network: time spent computing, a large payload, seats in a row."""

from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Number, Slip


def _computing() -> Number:
    compute_s, talk_s = 20 * 60, 70
    return Number(
        value=compute_s / (compute_s + talk_s),
        unit="share",
        slips=(
            Slip(
                talk_s / compute_s, "That is communication over computing; asked is computing over all time."
            ),
            Slip(1 - talk_s / compute_s, "The whole is computing and communication together."),
            Slip(20 / (20 + 70), "Those are minutes and seconds: bring both to one unit first."),
        ),
    )


def _payload() -> Number:
    parameters, kept, bits = 72.7e9, 64 / 4096, 12 + 2
    gigabytes = parameters * kept * bits / 8 / 1e9
    return Number(
        value=gigabytes,
        close=5e-3,
        slips=(
            Slip(gigabytes * 8, "Those are gigabits: a byte has 8 bits."),
            Slip(parameters * bits / 8 / 1e9, "Only 64 of every 4,096 are sent."),
            Slip(parameters * kept * 2 / 8 / 1e9, "Each value needs its position too, of 12 bits."),
            Slip(parameters * kept * 12 / 8 / 1e9, "Beside its position each has a value, of 2 bits."),
            Slip(parameters * 4 / 1e9, "That is the whole model in fp32; the payload is far smaller."),
            Slip(gigabytes * 1e9, "Those are bytes; a gigabyte has 10⁹ of them."),
        ),
    )


def _seats() -> Number:
    factor, seats = 1.26, 20
    return Number(
        value=sum(factor**seat for seat in range(seats)),
        unit="TAO",
        slips=(
            Slip(factor ** (seats - 1), "That is what the last one costs; asked is what all cost together."),
            Slip(factor**seats, "That is what the next one would cost; asked is what the twenty cost."),
            Slip(seats, "The price does not stay at 1 τ: each registration raises it."),
            Slip(seats * factor, "The price rises with each registration, and not only once."),
            Slip(sum(factor ** (seat + 1) for seat in range(seats)), "The first costs 1 τ, before any rise."),
            Slip(
                sum(1 + 0.26 * seat for seat in range(seats)),
                "Each rise is of the price before it, not of the first.",
            ),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="9.1",
        title="Computing, of all the time",
        answer=_computing,
        look="Seconds of computing, divided by seconds of computing and communication.",
        why="Thirty times fewer messages than steps, each 146 times smaller: that is what buys it.",
    ),
    Exercise(
        number="9.2",
        title="Two bits of seventy-two billion",
        answer=_payload,
        look="Parameters, times the share that is sent, times bits for each, as bytes.",
        why="Two gigabytes instead of 291: a line of a good office can carry that, a household's cannot.",
    ),
    Exercise(
        number="9.3",
        title="Twenty seats at once",
        answer=_seats,
        look="1 + 1.26 + 1.26² + …, with as many terms as seats.",
        why="The last alone costs more than the first thirteen together: crowds are dear, patience is not.",
    ),
)
