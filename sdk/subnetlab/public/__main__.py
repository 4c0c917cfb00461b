"""`python -m subnetlab.public RUN_FOLDER`: keep the record of a public run until it has ended.

Started by `fleet.launch`; a person may run it by hand and watch the log. Exit status 0 once the record says
how it ended, 1 where the run cannot be followed.
"""

import contextlib
import json
import sys
from pathlib import Path

from subnetlab.fleet.run_folder import MANIFEST_FILE


def main(arguments: list[str]) -> int:
    """Watch the run in the folder that the only argument names."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m subnetlab.public RUN_FOLDER\n")
        return 1
    from subnetlab.public.joining import use_instructions  # noqa: PLC0415

    folder = Path(arguments[0]).resolve()
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):  # what is wrong is said below
        use_instructions(json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")))
    from subnetlab.public.watching import watch  # noqa: PLC0415  (loads torch)

    return watch(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
