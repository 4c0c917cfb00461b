"""Where the tutorials lie, and the copy of them that a person works in.

They travel with the package; a checkout has them beside its sources. Neither is worked in: a reader's copies
lie in `tutorials` below SubnetLab's home, so that a clone stays clean and an installation may be read-only.
"""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

from subnetlab.errors import RunError
from subnetlab.record.files import make_private, write_private
from subnetlab.settings import home

_PACKAGE = Path(__file__).resolve().parents[1]
PLACES = [_PACKAGE / "tutorials", _PACKAGE.parents[1] / "tutorials"]
_ORIGINALS = ".originals.json"
"""What each copy was made from, as hashes: a copy that is still like that may be replaced by a newer one."""


def find(number: str = "00") -> Path:
    """The notebook of a tutorial by its number, as it was published.

    Raises:
        RunError: there is none here.
    """
    for place in PLACES:
        found = sorted(place.glob(f"{number}_*.ipynb"))
        if found:
            return found[0]
    known = sorted(path.name[:2] for place in PLACES for path in place.glob("[0-9][0-9]_*.ipynb"))
    raise RunError(
        f"There is no tutorial {number} in {' or '.join(map(str, PLACES))}.",
        hint=f"There are {known[0]} to {known[-1]}."
        if known
        else "Install SubnetLab again: they come with it.",
    )


def working_copy(number: str = "00", folder: Path | None = None) -> Path:
    """A tutorial in the folder where a person works on it, copied there first where it is not yet.

    What a reader wrote is never replaced: once the published tutorial changes, an edited copy stays beside
    the new one under another name.

    Args:
        number: of the tutorial; all of its folder are copied with it.
        folder: `tutorials` below SubnetLab's home unless given.

    Raises:
        RunError: there is none here, or the folder cannot be written.
    """
    published = find(number)
    target = folder or home() / "tutorials"
    try:
        make_private(target)
        known = _known(target)
        for original in sorted(published.parent.glob("*.ipynb")):
            known[original.name] = _renew(original, target / original.name, known.get(original.name, ""))
        write_private(target / _ORIGINALS, json.dumps(known) + "\n")
    except OSError as error:
        raise RunError(
            f"The tutorials cannot be copied to {target}: {error}.",
            hint="Give the folder room and the right to write, or set SUBNETLAB_HOME to another.",
        ) from error
    return target / published.name


def _renew(original: Path, copy: Path, made_from: str) -> str:
    """Bring one copy up to date; returns the hash of what it was made from."""
    data = original.read_bytes()
    if copy.exists():
        if _hash(data) == made_from:
            return made_from
        if _hash(copy.read_bytes()) != made_from:
            copy.replace(_free(copy))
    write_private(copy, data)
    return _hash(data)


def _free(path: Path) -> Path:
    """A name for an edited copy that is in the way of a newer one."""
    number = 1
    while (named := path.with_name(f"{path.stem}.mine-{number}{path.suffix}")).exists():
        number += 1
    return named


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _known(folder: Path) -> dict[str, str]:
    try:
        found: Any = json.loads((folder / _ORIGINALS).read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, str]", found) if isinstance(found, dict) else {}
