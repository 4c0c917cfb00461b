"""A call that must be refused: with the chain's own error, and without a trace."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.stage import Stage

from subnetlab.devnet.chain.registry import DispatchError


def refused(stage: Stage, error: str, who: str | None, function: str, **arguments: Any) -> None:
    """Dispatch a call that fails with an error and leaves storage and events as they were."""
    storage, events = written(stage), list(stage.ledger.events)
    with pytest.raises(DispatchError) as raised:
        stage.call(who, function, **arguments)
    assert raised.value.name == error or (not raised.value.name and raised.value.pallet == error)
    assert written(stage) == storage, "a refused call wrote to storage"
    assert stage.ledger.events == events, "a refused call left events"


def written(stage: Stage) -> dict[bytes, bytes | None]:
    """What the block being built has written so far."""
    layer = stage.state._written
    return dict(layer)
