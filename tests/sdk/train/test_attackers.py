"""The words that name attackers, and the classes behind them."""

import subprocess
import sys

import pytest

from subnetlab.train.attackers import ATTACKERS, noun
from subnetlab.train.miner import Miner
from subnetlab.train.validator import Validator


@pytest.mark.parametrize("word", ATTACKERS)
def test_a_word_names_one_class_on_a_seat_of_its_role(word: str) -> None:
    attacker = ATTACKERS[word]
    assert issubclass(attacker.load(), Miner if attacker.role == "miner" else Validator)
    assert attacker.load().__doc__
    assert noun(word) == attacker.noun


def test_the_words_of_attackers_are_known_without_torch() -> None:
    code = "import sys; from subnetlab import LocalFleet; LocalFleet(attackers={'sign_flip': 1}).places();"
    code += "assert not {'torch', 'bittensor'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_class_of_an_attacker_has_a_word() -> None:
    from subnetlab.train.attackers import delivery, updates

    classes = {attacker.load() for attacker in ATTACKERS.values()}
    for module in (delivery, updates):
        attacks = {
            kind for kind in vars(module).values()
            if isinstance(kind, type) and kind.__module__ == module.__name__
        }  # fmt: skip
        assert attacks <= classes
