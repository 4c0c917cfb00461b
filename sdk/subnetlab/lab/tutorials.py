"""Where the tutorials lie: beside the sources, or in a `tutorials` folder below where one stands."""

from pathlib import Path

from subnetlab.errors import RunError

PLACES = [Path.cwd() / "tutorials", Path(__file__).resolve().parents[3] / "tutorials"]


def find(number: str = "00") -> Path:
    """The notebook of a tutorial by its number.

    Raises:
        RunError: there is none here.
    """
    for place in PLACES:
        found = sorted(place.glob(f"{number}_*.ipynb"))
        if found:
            return found[0]
    raise RunError(
        f"There is no tutorial {number} in {' or '.join(map(str, PLACES))}.",
        hint="Run this in a checkout of the project.",
    )
