"""A host started as `subnetlab host` does, in a folder of its own, for the tests of hosted kernels."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.project import ROOT

SECRET = "a secret of the host's own environment"
_OTHER_UID = 61_999


@dataclass(frozen=True)
class Host:
    """A host that serves."""

    url: str
    folder: Path
    process: "subprocess.Popen[str]"
    log: Path
    separate: bool
    """Whether each user has a system user, which takes root."""

    def token(self, user: str) -> str:
        return (self.folder / "tokens" / f"{user}.token").read_text().strip()

    def home(self, user: str) -> Path:
        return self.folder / "users" / user


def python_for_all() -> tuple[str, dict[str, str]] | None:
    """A Python that other system users can run, and what it needs to find us; None where there is none."""
    site = next(path for path in sys.path if path.endswith("site-packages"))
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        env = {"PATH": os.environ["PATH"], "HOME": "/tmp", "JUPYTER_PATH": f"{sys.prefix}/share/jupyter"}
        if python != sys.executable:
            env["PYTHONPATH"] = ":".join([*(str(ROOT / part) for part in ("sdk", "kernel", "widgets")), site])
        try:
            tried = subprocess.run(
                [python, "-c", "import subnetlab_kernel.kernel"], user=_OTHER_UID, group=_OTHER_UID,
                extra_groups=[], env=env, cwd="/", capture_output=True, check=False,
            )  # fmt: skip
        except OSError:
            continue
        if tried.returncode == 0:
            return python, env
    return None


@contextmanager
def running_host(*options: str, users: Sequence[str] = ("anna", "ben")) -> Generator[Host]:
    """Start a host on a free port; nothing of it is left afterwards."""
    found = python_for_all() if os.geteuid() == 0 else None
    python, env = found or (sys.executable, dict(os.environ))
    account = ["--one-account"] if os.geteuid() == 0 and found is None else []
    folder = Path(tempfile.mkdtemp(prefix="slh-"))
    folder.chmod(0o711)
    log = folder / "host.log"
    command = [python, "-m", "subnetlab_kernel.hosting", "--port", "0", "--folder", str(folder / "host")]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--users", ",".join(users), *account, *options], stdout=subprocess.PIPE, stderr=errors,
            text=True, env={**env, "HOSTS_SECRET": SECRET}, cwd="/",
        )  # fmt: skip
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "http://127.0.0.1:" in first, log.read_text()
        url = first.split(" at ")[1].split(",")[0]
        yield Host(url, folder / "host", process, log, separate=found is not None)
    finally:
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        process.wait(300)
        process.stdout and process.stdout.close()
        _, left = psutil.wait_procs(below, timeout=300)
        shutil.rmtree(folder)
        assert not left, left
