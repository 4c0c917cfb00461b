"""How much may be spent on a chain, kept across processes.

One small file per chain below `settings.home()`, whatever the network is called by, read and replaced whole
under a lock, so two notebooks cannot both spend the last of it. What is reserved counts as spent until it is
given back: a process that dies in between errs on the safe side. Development chains have no limit unless one
is set; every other chain starts at nothing.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from subnetlab import settings
from subnetlab.errors import OverBudget
from subnetlab.record.files import write_private
from subnetlab.record.lock import locked
from subnetlab.units import U64_MAX, Amount, Rao, format_tao, rao


@dataclass(slots=True)
class Reservation:
    """An amount set aside; all of it counts as spent unless the holder says how little was."""

    kept_rao: int

    def keep(self, amount_rao: int) -> None:
        """Count this much as spent; a fee may turn out a rao more than was set aside."""
        self.kept_rao = amount_rao


class Budget:
    """The budget of one chain.

    Args:
        chain: what tells the chain from every other, as a file name (`NetworkClient.chain`).
        unlimited: whether it has no limit before one is set, as on development chains.
        network: what people call it; as `chain` unless given.
        folder: where budgets are kept; `settings.home() / "budgets"` unless a test says otherwise.
    """

    def __init__(self, chain: str, *, unlimited: bool, network: str = "", folder: Path | None = None) -> None:
        self.network = network or chain
        self._unlimited = unlimited
        self._path = (folder or settings.home() / "budgets") / f"{chain}.json"
        self._lock = self._path.with_suffix(".lock")

    @property
    def limit_rao(self) -> Rao | None:
        """The most that may be spent in all, fees included; None for no limit."""
        return self._read()[0]

    @property
    def spent_rao(self) -> Rao:
        """What was spent or is set aside since the last `set`."""
        return self._read()[1]

    @property
    def left_rao(self) -> Rao | None:
        """What may still be spent; None for no limit."""
        limit, spent = self._read()
        return None if limit is None else Rao(max(0, limit - spent))

    @property
    def frozen(self) -> bool:
        """Whether somebody set the budget to 0, which forbids fees too."""
        return self._path.exists() and self._read()[0] == 0

    def set(self, tao: Amount | None) -> None:
        """Allow this much from now on, starting at nothing spent; 0 forbids all, None lifts the limit.

        Raises:
            InvalidAmount: not an amount the chain can carry.
        """
        limit = None if tao is None else rao(tao, zero=True)
        with locked(self._lock):
            self._write(limit, Rao(0))

    @contextmanager
    def reserve(self, amount_rao: int) -> Generator[Reservation]:
        """Set an amount aside for the length of a block; afterwards what the holder kept counts as spent.

        Raises:
            OverBudget: less than this is left; nothing was set aside.
            ValueError: negative, or more than the chain can count.
        """
        if not 0 <= amount_rao <= U64_MAX:
            raise ValueError(f"{amount_rao} rao cannot be set aside.")
        with locked(self._lock):
            limit, spent = self._read()
            if limit is not None and amount_rao > 0 and spent + amount_rao > limit:
                left = format_tao(max(0, limit - spent))
                raise OverBudget(
                    f"{format_tao(amount_rao)} is more than the {left} left of the budget for {self.network}."
                )
            try:
                self._write(limit, Rao(spent + amount_rao))
            except BaseException:  # no reservation would give it back
                self._write(limit, spent)
                raise
        reservation = Reservation(amount_rao)
        try:
            yield reservation
        finally:
            with locked(self._lock):
                limit, spent = self._read()
                # Somebody may have set the budget anew in between.
                self._write(limit, Rao(max(0, spent + reservation.kept_rao - amount_rao)))

    def count(self, amount_rao: int) -> None:
        """Count a fee that was paid; what was spent already is never refused.

        Raises:
            ValueError: negative.
        """
        if amount_rao < 0:
            raise ValueError(f"{amount_rao} rao cannot have been spent.")
        with locked(self._lock):
            limit, spent = self._read()
            self._write(limit, Rao(spent + amount_rao))

    def refund(self, amount_rao: int) -> None:
        """Take back what was counted as spent and came back, such as an escrow's remainder.

        Raises:
            ValueError: negative.
        """
        if amount_rao < 0:
            raise ValueError(f"{amount_rao} rao cannot have come back.")
        with locked(self._lock):
            limit, spent = self._read()
            self._write(limit, Rao(max(0, spent - amount_rao)))

    def forget(self) -> None:
        """Remove what is kept, because the chain is gone for good."""
        for path in (self._path, self._lock):
            path.unlink(missing_ok=True)

    def _read(self) -> tuple[Rao | None, Rao]:
        try:
            content = json.loads(self._path.read_bytes())
            limit, spent = content["limit_rao"], int(content["spent_rao"])
            return (None if limit is None else Rao(int(limit))), Rao(spent)
        except FileNotFoundError:
            return (None if self._unlimited else Rao(0)), Rao(0)
        except (ValueError, TypeError, KeyError):
            # If the file cannot be read, the budget is 0.
            return Rao(0), Rao(0)

    def _write(self, limit: Rao | None, spent: Rao) -> None:
        # Without a limit there is nothing that a power cut could lift.
        text = json.dumps({"limit_rao": limit, "spent_rao": spent})
        write_private(self._path, text, sync=limit is not None)

    def __repr__(self) -> str:
        limit, spent = self._read()
        limit_words = "no limit" if limit is None else format_tao(limit)
        return f"Budget({self.network!r}, limit={limit_words}, spent={format_tao(spent)})"
