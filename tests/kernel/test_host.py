"""`subnetlab host` as people meet it: tokens, owners, limits, and what one of them tries against another."""

import json
import stat
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from tests.kernel.hosts import SECRET, Host, running_host

import subnetlab as sl
from subnetlab.errors import HostError, RemoteFailed, RemoteUnreachable
from subnetlab.lab.remote import RemoteKernel

LIMIT_S = 300.0


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running_host("--kernels", "2", "--memory", "8000", "--cores", "1") as host:
        yield host


@pytest.fixture
def anna(host: Host) -> Iterator[RemoteKernel]:
    with sl.remote(host.url, host.token("anna")) as kernel:
        yield kernel


@pytest.fixture
def ben(host: Host) -> Iterator[RemoteKernel]:
    with sl.remote(host.url, host.token("ben")) as kernel:
        yield kernel


def status(host: Host, path: str, token: str = "", method: str = "GET", **headers: str) -> int:
    if token:
        headers["Authorization"] = f"token {token}"
    body = b"{}" if method in ("POST", "PATCH") else None
    try:
        with urlopen(Request(host.url + path, body, headers, method=method), timeout=300) as answer:
            return answer.status
    except HTTPError as error:
        error.close()
        return error.code


PATHS = ("/api", "/api/kernels", "/api/kernelspecs", "/", "/lab", "/metrics", "/api/contents", "/login")


def test_without_its_token_nothing_is_answered(host: Host) -> None:
    token = host.token("anna")
    for path in (*PATHS, "/api/kernels/x/channels", "/static/favicon.ico"):
        assert status(host, path) == 401, path
        assert status(host, path, token[:-1]) == 401, path
        assert status(host, f"{path}?token={token}") == 401, path
    assert status(host, "/api/kernels", method="POST") == 401
    for path in ("/", "/lab", "/metrics", "/api/contents", "/api/sessions", "/api/terminals", "/api/status"):
        assert status(host, path, token) == 404, path
    assert status(host, "/api/shutdown", token, method="POST") == 404
    assert status(host, "/api/kernels", token) == 200


def test_a_foreign_page_is_refused_even_with_the_token(host: Host, anna: RemoteKernel) -> None:
    token, channels = host.token("anna"), f"/api/kernels/{anna.id}/channels"
    for path in ("/api/kernels", channels):
        assert status(host, path, token, Origin="https://evil.example") == 403
        assert status(host, path, token, Origin="null") == 403
        assert status(host, path, token, Host="evil.example") == 403
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "c2l4dGVlbiBieXRlcyEhIQ=="}
    assert status(host, channels, "", Origin="https://evil.example", **upgrade, **key) == 403
    assert status(host, channels, "", **upgrade, **key) == 401


def test_tokens_are_in_their_files_and_nowhere_else(host: Host, anna: RemoteKernel) -> None:
    token = host.token("anna")
    anna.run("1")
    assert stat.S_IMODE((host.folder / "tokens" / "anna.token").stat().st_mode) == 0o600
    assert stat.S_IMODE((host.folder / "tokens").stat().st_mode) == 0o700
    kernels = psutil.Process(host.process.pid).children(recursive=True)
    assert kernels
    for process in (psutil.Process(host.process.pid), *kernels):
        assert token not in " ".join(process.cmdline())
        assert token not in str(process.environ())
    assert SECRET not in str([process.environ() for process in kernels])
    assert token not in host.log.read_text()
    assert token not in repr(anna)


def test_a_remote_cell_prints_shows_fails_and_is_interrupted(
    anna: RemoteKernel, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys; print('out'); print('err', file=sys.stderr)\nfrom IPython.display import HTML, display\n"
    )
    result = anna.run(code + "display(HTML('<b>rich</b>'))\n6 * 7")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    assert result.outputs[0]["text/html"] == "<b>rich</b>"
    assert repr(result) == "42"
    shown = capsys.readouterr()
    assert shown.out.startswith("out\n")
    assert shown.out.endswith("42\n")
    assert shown.err == "err\n"
    with pytest.raises(RemoteFailed, match="ZeroDivisionError: division by zero") as failed:
        anna.run("1 / 0")
    assert failed.value.ename == "ZeroDivisionError"
    assert "division by zero" in failed.value.traceback
    with pytest.raises(TimeoutError, match="was interrupted"):
        anna.run("while True: pass", timeout=0.5)
    assert repr(anna.run("'goes on'")) == "'goes on'"
    for _ in range(3):  # the kernel is new each time, and the first cell of each is answered
        anna.run("x = 1")
        anna.restart()
        assert repr(anna.run("'x' in globals()")) == "False"


def test_a_kernel_that_dies_is_told_and_can_be_ended(host: Host) -> None:
    with sl.remote(host.url, host.token("ben")) as ben, pytest.raises(RemoteUnreachable, match="ended"):
        ben.run("import os; os._exit(1)")
    assert _kernels(host, "ben") == []


def test_a_restart_mends_a_connection_that_ended(anna: RemoteKernel) -> None:
    inside: Any = anna
    line = inside._line
    line._wait(line._socket.close())
    with pytest.raises(RemoteUnreachable, match="is closed"):
        anna.run("1")
    with pytest.raises(RemoteUnreachable, match="ended"):
        line.next(LIMIT_S)
    anna.restart()
    assert repr(anna.run("1 + 1")) == "2"


def test_nobody_reaches_anothers_kernel(host: Host, anna: RemoteKernel, ben: RemoteKernel) -> None:
    token = host.token("ben")
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("POST", "/interrupt"), ("POST", "/restart"), ("GET", "/channels")
    ):  # fmt: skip
        assert status(host, f"/api/kernels/{anna.id}{path}", token, method=method) == 404, path
    assert repr(anna.run("'still here'")) == "'still here'"
    assert [kernel["id"] for kernel in _kernels(host, "ben")] == [ben.id]


def _kernels(host: Host, user: str) -> list[dict[str, str]]:
    request = Request(host.url + "/api/kernels", headers={"Authorization": f"token {host.token(user)}"})
    with urlopen(request, timeout=300) as answer:
        return json.load(answer)


def test_each_has_a_home_limits_and_nothing_of_the_others(
    host: Host, anna: RemoteKernel, ben: RemoteKernel
) -> None:
    anna.run(
        "import os, subnetlab as sl\nfrom pathlib import Path\nopen('mine.txt', 'w').write('private')\n"
        "from subnetlab.network.wallets import dev_keypair\nnet = sl.connect(sealing='instant')"
    )
    assert repr(anna.run("oct(os.umask(0o077))")) == "'0o77'"
    assert repr(anna.run("oct(os.stat('mine.txt').st_mode & 0o777)")) == "'0o600'"
    for asked in (
        "str(Path.home())",
        "os.getcwd()",
        "os.environ['SUBNETLAB_HOME'].removesuffix('/.subnetlab')",
    ):
        assert repr(anna.run(asked)) == repr(str(host.home("anna")))
    assert repr(anna.run("import resource; resource.getrlimit(resource.RLIMIT_DATA)[1]")) == "8000000000"
    assert repr(anna.run("len(os.sched_getaffinity(0))")) == "1"
    with pytest.raises(RemoteFailed, match="MemoryError"):
        anna.run("bytearray(9_000_000_000)")
    lifted = "resource.setrlimit(resource.RLIMIT_DATA, (2**40, 2**40))"
    if host.separate:  # root may lift its own
        with pytest.raises(RemoteFailed, match="not allowed to raise maximum limit"):
            anna.run(lifted)
    assert repr(ben.run("import subnetlab as sl; list(sl.runs(all=True))")) == "[]"
    assert repr(ben.run("import os; os.listdir(os.environ['SUBNETLAB_HOME'])")) == "[]"
    if host.separate:
        _tried_by(ben, host)


def _tried_by(ben: RemoteKernel, host: Host) -> None:
    """What a system user of one's own keeps from another: files, sockets, keys, processes."""
    ben.run("import os, signal, glob\nfrom pathlib import Path")
    home = str(host.home("anna"))
    for attempt in (
        f"os.listdir({home!r})", f"open({home + '/mine.txt'!r}).read()", f"os.chdir({home!r})",
        f"os.listdir({str(host.folder / 'tokens')!r})", f"os.listdir({str(host.folder / 'connections')!r})",
        f"open({str(host.folder / 'tokens' / 'anna.token')!r}).read()",
        "[os.kill(pid, signal.SIGKILL) for pid in pids]", "open(f'/proc/{pids[0]}/environ').read()",
        "open(f'/proc/{pids[0]}/mem', 'rb').read(1)",
    ):  # fmt: skip
        ben.run(
            "pids = [int(p.name) for p in Path('/proc').iterdir() if p.name.isdigit()"
            f" and p.stat().st_uid == {host.home('anna').stat().st_uid}]\nassert pids"
        )
        with pytest.raises(RemoteFailed, match="PermissionError"):
            ben.run(attempt)


@pytest.mark.parametrize("kind", ["../../x", "no-such", "", 5, ["python3"]])
def test_a_kind_of_kernel_that_is_not_here_is_refused_in_a_sentence(host: Host, kind: object) -> None:
    headers = {"Authorization": f"token {host.token('anna')}", "Content-Type": "application/json"}
    body = json.dumps({"name": kind}).encode()
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{host.url}/api/kernels", body, headers, method="POST"), timeout=300)
    with refused.value as answer:
        assert answer.code == 404
        assert "There is no such kind of kernel here: ask for " in json.loads(answer.read())["message"]
    assert "Traceback" not in host.log.read_text()


def test_a_person_has_so_many_kernels(host: Host, anna: RemoteKernel, ben: RemoteKernel) -> None:
    with sl.remote(host.url, host.token("anna")):
        with pytest.raises(HostError, match="You have 2 kernels, which are the most here"):
            sl.remote(host.url, host.token("anna"))
        with sl.remote(host.url, host.token("ben")) as another:
            assert repr(another.run("1")) == "1"
    with sl.remote(host.url, host.token("anna")) as again:
        assert repr(again.run("1")) == "1"


@pytest.fixture
def culling() -> Iterator[Host]:
    with running_host("--cull-after", "3") as host:
        yield host


def test_an_idle_kernel_is_ended_unless_a_run_of_its_owner_goes_on(culling: Host) -> None:
    with sl.remote(culling.url, culling.token("anna")) as anna:
        anna.run(  # before another kernel starts, which may take longer than an idle one is kept
            "import os, fcntl\nfolder = os.environ['SUBNETLAB_HOME'] + '/runs/one'\nos.makedirs(folder)\n"
            "held = open(folder + '/supervisor.lock', 'w')\nfcntl.flock(held, fcntl.LOCK_EX)"
        )
        with sl.remote(culling.url, culling.token("ben")):
            _until_ended(culling, "ben")
        assert [kernel["id"] for kernel in _kernels(culling, "anna")] == [anna.id]
        anna.run("held.close()")
        _until_ended(culling, "anna")


def _until_ended(host: Host, user: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while _kernels(host, user):
        assert time.monotonic() < deadline
        time.sleep(0.1)
