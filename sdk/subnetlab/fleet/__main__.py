"""`python -m subnetlab.fleet RUN_FOLDER`: one run's supervisor, until the run has ended.

Started by `fleet.launch`; a person may run it by hand and watch the log. Exit status 0 once the record holds
how the run ended, 1 where there was nothing to run.
"""

import sys
import time
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Supervise the run in the folder that the only argument names."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m subnetlab.fleet RUN_FOLDER\n")
        return 1
    asked_at = time.monotonic()
    # Peers import this module to find their target: only the supervisor itself loads more. The server for
    # peers comes first, so that torch loads there while the SDK loads here.
    from subnetlab.fleet.fork_launcher import ForkLauncher  # noqa: PLC0415
    from subnetlab.fleet.forkserver import PRELOAD, PRELOAD_COMPILER  # noqa: PLC0415
    from subnetlab.fleet.launcher import Launcher  # noqa: PLC0415
    from subnetlab.fleet.spec import is_compiled, is_on_cluster  # noqa: PLC0415

    run_folder = Path(arguments[0]).resolve()
    preload = PRELOAD_COMPILER if is_compiled(run_folder) else PRELOAD
    launcher: Launcher = ForkLauncher(run_folder, asked_at, preload=preload)
    if is_on_cluster(run_folder):
        from subnetlab.fleet.cluster.launcher import RayLauncher  # noqa: PLC0415

        launcher = RayLauncher(run_folder, asked_at, calls=launcher)
    from subnetlab.fleet.supervisor.supervise import supervise  # noqa: PLC0415

    return supervise(run_folder, launcher, asked_at)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
