"""May this be spent? Asked once for every spend, of a person where the money is real.

`Confirm` is the seam: a widget, a prompt or a test answers. On networks that are not development chains only
an interactive answer counts, so an unattended notebook spends nothing there.
"""

import builtins
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import BuiltinFunctionType
from typing import Protocol, TypeVar

from subnetlab.errors import HeadlessSpendRefused, NotConfirmed
from subnetlab.text import NAME, REASON, capitalised, kind_of, plain
from subnetlab.units import format_tao


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What is about to be spent, in full, as the person who confirms reads it."""

    summary: str
    """In words, such as `transfer τ0.5 to 5F…`."""
    network: str
    wallet: str
    """The ss58 address that pays."""
    amount_rao: int
    """What leaves the wallet, fee not included; the whole free balance if the amount is not known before."""
    fee_rao: int
    real: bool
    """False on a development chain, where money is play money."""
    most: bool = False
    """Whether the amount is only the most that can leave, because the chain decides how much does."""
    own: bool = False
    """Whether it only moves between accounts of the same person: the budget counts the fee alone."""
    to_itself: bool = False
    """Whether the wallet pays itself, so that nothing leaves it beside the fee; `own` too, then."""
    ask: bool = False
    """Whether it is asked about although only a fee leaves the wallet, such as an escrow's approval."""
    brings_rao: int = 0
    """What comes back to the wallet, where the chain's events do not say it."""
    what: str = "execute"
    """The kind of spend, as the ledger keeps it: `pay`, `stake`, `register` …"""
    to: str = ""
    """An account or a hotkey; empty where it goes to the chain itself."""
    netuid: int | None = None

    def __str__(self) -> str:
        upto = "up to " if self.most else ""
        money = f"{upto}{format_tao(self.amount_rao)} and a fee of about {format_tao(self.fee_rao)}"
        summary, network = plain(self.summary, REASON), plain(self.network, NAME)
        return f"{summary} on {network}: {money} from {plain(self.wallet, NAME)}"


class Confirm(Protocol):
    """What is asked before something is spent."""

    @property
    def interactive(self) -> bool:
        """Whether a person gives the answer."""
        ...

    def ask(self, spend: Spend) -> bool:
        """Whether this may be spent.

        Raises:
            HeadlessSpendRefused: a person would have to answer and none is there.
        """
        ...


class Always:
    """Yes to everything; enough on development chains only."""

    interactive = False

    def ask(self, spend: Spend) -> bool:  # noqa: ARG002 - the answer does not depend on it
        """Yes."""
        return True


class Never:
    """No to everything: look, but spend nothing."""

    interactive = False

    def ask(self, spend: Spend) -> bool:  # noqa: ARG002 - the answer does not depend on it
        """No."""
        return False


class Prompt:
    """Ask at the terminal, or in the notebook's input line."""

    interactive = True

    def ask(self, spend: Spend) -> bool:
        """Show the spend and wait for `yes`.

        Raises:
            HeadlessSpendRefused: no person can answer here.
        """
        if not can_ask():
            raise headless(spend)
        try:
            answer = input(f"{spend}\nType yes to spend: ")
        except (EOFError, OSError, RuntimeError) as error:
            raise headless(spend) from error
        return answer.strip().lower() == "yes"


class Recorded:
    """Answers given beforehand, one per spend, and what was asked; replaces a person in tests."""

    def __init__(self, answers: Iterable[bool], *, interactive: bool = True) -> None:
        self.interactive = interactive
        self.asked: list[Spend] = []
        self._answers = iter(answers)

    def ask(self, spend: Spend) -> bool:
        """The next answer; no once they run out."""
        self.asked.append(spend)
        return next(self._answers, False)


def confirm_default(*, real: bool) -> Confirm:
    """Who is asked where nothing else was chosen: a person for real money, no one for play money."""
    return Prompt() if real else Always()


AnyConfirm = TypeVar("AnyConfirm", bound=Confirm | None)


def checked(confirm: AnyConfirm) -> AnyConfirm:
    """What was given to be asked, if it can be.

    Raises:
        NotConfirmed: it has no `ask`, or does not say whether a person answers.
    """
    if confirm is None or (callable(getattr(confirm, "ask", None)) and hasattr(confirm, "interactive")):
        return confirm
    raise NotConfirmed(
        f"{capitalised(kind_of(confirm))} cannot be asked to confirm a spend.",
        hint="Give an object with .ask(spend) and .interactive, or leave confirm out.",
    )


def require(confirm: Confirm, spend: Spend) -> None:
    """Ask, and raise unless the answer is yes.

    Raises:
        HeadlessSpendRefused: real money, and no person there who could answer.
        NotConfirmed: the answer was no.
    """
    if spend.real and not confirm.interactive:
        raise headless(spend)
    if not confirm.ask(spend):
        raise NotConfirmed(
            f"Not confirmed, so not spent: {spend}.", hint="Run it again and answer yes, if it was meant."
        )


def can_ask() -> bool:
    """Whether `input` reaches a person: a terminal, or a notebook that put its own `input` in place.

    An answer that is piped into a script counts as none.
    """
    replaced = not isinstance(builtins.input, BuiltinFunctionType)
    return replaced or (sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty())


def headless(spend: Spend) -> HeadlessSpendRefused:
    """The error that says that no person was there to ask."""
    return HeadlessSpendRefused(
        f"{spend} needs a person to confirm it, and no person can be asked here.",
        hint="Run it in a notebook or a terminal, where the question can be answered.",
    )
