"""A kernel on a host (`subnetlab host`), from here: cells go there, what they print and show comes back.

Speaks Jupyter's REST and its websocket protocol `v1.kernel.websocket.jupyter.org`, so any Jupyter server will
do. The token is asked for, or read from the environment; it is never shown, and crosses a network only
encrypted. What the remote kernel shows is the host's to choose, as with every Jupyter server.
"""

import contextlib
import getpass
import os
import queue
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from time import monotonic
from typing import Any, Final, Self
from urllib.parse import SplitResult, urlsplit

from subnetlab.errors import HostError, RemoteFailed, RemoteUnreachable, SecretRefused
from subnetlab.text import plain
from subnetlab.waiting import waiting

TOKEN_VARIABLE: Final = "SUBNETLAB_REMOTE_TOKEN"  # noqa: S105 - the name of a variable
_INTERRUPT_LIMIT_S: Final = 10.0

Bundle = Mapping[str, Any]
Display = Callable[[dict[str, Any], dict[str, Any]], object]


def _print_text(bundle: dict[str, Any], _metadata: dict[str, Any]) -> None:
    sys.stdout.write(f"{bundle.get('text/plain', '')}\n")


_DISPLAYS: list[Display] = [_print_text]
"""How bundles are shown; the last one counts."""


def show_with(display: Display) -> None:
    """Have what remote cells show go here from now on: data by MIME type, and its metadata."""
    _DISPLAYS.append(display)


@dataclass(slots=True)
class RemoteResult:
    """What a remote cell printed and showed."""

    stdout: str = ""
    stderr: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What it showed, each by MIME type, its result last."""
    result: dict[str, Any] | None = None
    """Its result by MIME type, None where it has none."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": ""}  # it was shown when it came

    def __repr__(self) -> str:
        return str((self.result or {}).get("text/plain", ""))


class RemoteKernel:
    """One kernel on a host, until `close`.

    Args:
        address: of the host, `https://` or `http://` on this machine.
        token: of the person.

    Raises:
        RemoteUnreachable: no host answers.
        HostError: it refuses the token, or gives no more kernels.

    Example:
        >>> with sl.remote("http://127.0.0.1:8899") as kernel:  # doctest: +SKIP
        ...     kernel.run("1 + 1")
    """

    def __init__(self, address: SplitResult, token: str) -> None:
        from subnetlab.lab.remote_line import Line  # noqa: PLC0415  (aiohttp, where it is needed)

        self.url = f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"
        self._line: Line = Line(self.url, token)

    def run(self, code: str, timeout: float | None = None) -> RemoteResult:
        """Run a cell there; what it prints and shows appears here as it comes.

        An interrupt here interrupts it there.

        Raises:
            RemoteFailed: the cell failed; the error's name, message and traceback are the remote kernel's.
            RemoteUnreachable: the connection, or the kernel, ended.
            TimeoutError: it is not through within so many seconds; it was interrupted.
        """
        found, asked = RemoteResult(), uuid.uuid4().hex
        failed: dict[str, Any] = {}
        deadline = None if timeout is None else monotonic() + timeout
        self._line.send("shell", "execute_request", asked, _request(code))
        try:
            for kind, content in self._answers(asked, deadline):
                _take(found, failed, kind, content)
        except (KeyboardInterrupt, TimeoutError):
            self.interrupt()
            with contextlib.suppress(TimeoutError):
                for kind, content in self._answers(asked, monotonic() + _INTERRUPT_LIMIT_S):
                    _take(found, failed, kind, content)
            raise
        if failed:
            error = RemoteFailed(
                f"The remote cell failed: {failed['ename']}: {failed['evalue']}",
                hint="%explain --traceback shows where, in the remote kernel.",
            )
            error.ename = str(failed["ename"])
            error.traceback = "\n".join(map(str, failed.get("traceback", [])))
            raise error
        return found

    def _answers(self, asked: str, deadline: float | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """What comes in answer to a request, until its reply and its idle status are there."""
        owed = {"execute_reply", "idle"}
        while owed:
            try:
                message = self._line.next(None if deadline is None else max(0.0, deadline - monotonic()))
            except queue.Empty:
                raise TimeoutError("The remote cell is not through yet, and was interrupted.") from None
            kind, content = str(message["header"].get("msg_type")), message["content"]
            if kind == "status" and content.get("execution_state") in ("restarting", "dead"):
                raise RemoteUnreachable("The remote kernel ended.", hint="It may have run out of memory.")
            if message["parent_header"].get("msg_id") != asked:
                continue
            owed -= {kind, str(content.get("execution_state", ""))}
            yield kind, content

    def interrupt(self) -> None:
        """Interrupt what runs there."""
        self._line.ask("POST", "/interrupt")

    @property
    def id(self) -> str:
        """The kernel's id on its host."""
        return self._line.kernel

    def restart(self) -> None:
        """Start the kernel anew; its variables are gone, detached runs go on."""
        self._line.restart()

    def close(self) -> None:
        """End the kernel, and the connection; harmless twice."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<kernel on {plain(self.url)}>"


def remote(url: str, token: str | None = None) -> RemoteKernel:
    """Start a kernel on a host and return it; `kernel.run("…")` runs cells there.

    Args:
        url: of the host, such as `http://127.0.0.1:8899`; what is not on this machine takes `https://`.
        token: better left out: it is read from `$SUBNETLAB_REMOTE_TOKEN`, or asked for.

    Raises:
        SecretRefused: the address holds a token, or would send one unencrypted.
        RemoteUnreachable: no host answers there.
        HostError: it refuses the token, or gives no more kernels.
    """
    address = host_address(url)
    known = token or token_for(address)
    with waiting(f"a kernel of {address.netloc}"):
        return RemoteKernel(address, known)


def host_address(url: str) -> SplitResult:
    """The address of a host, to which a token may be sent.

    Raises:
        SecretRefused: it holds a token, or would send one unencrypted.
        RemoteUnreachable: it is no address.
    """
    try:
        address = urlsplit(url)
        host, _ = address.hostname, address.port
    except (ValueError, AttributeError, TypeError):
        host, address = None, urlsplit("")
    if host is None or address.scheme not in ("http", "https"):
        raise RemoteUnreachable(
            "That is no address of a host.", hint="Write http://127.0.0.1:8899 or https://…"
        )
    if address.query or address.fragment or address.username or address.password:
        raise SecretRefused(
            "The address holds more than an address.",
            hint=f"Leave the token out of it: it is read from ${TOKEN_VARIABLE}, or asked for.",
        )
    if address.scheme == "http" and not _is_here(host):
        raise SecretRefused(
            f"A token for {plain(host)} would cross the network unencrypted.",
            hint="Use https://, or ssh -L 8899:127.0.0.1:8899 and then http://127.0.0.1:8899.",
        )
    return address


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def token_for(address: SplitResult) -> str:
    """The token of a host: from the environment, or asked for.

    Raises:
        HostError: there is none.
    """
    if given := os.environ.get(TOKEN_VARIABLE):
        return given
    try:
        token = getpass.getpass(f"Token for {plain(address.netloc)}: ")
    except (EOFError, OSError, NotImplementedError):
        token = ""
    if not token:
        raise HostError("There is no token.", hint=f"Set ${TOKEN_VARIABLE} before this starts.")
    return token.strip()


def _request(code: str) -> dict[str, Any]:
    return {
        "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
        "stop_on_error": True,
    }  # fmt: skip


def _take(found: RemoteResult, failed: dict[str, Any], kind: str, content: dict[str, Any]) -> None:
    """Show what came, and keep it."""
    if kind == "stream":
        name = "stderr" if content.get("name") == "stderr" else "stdout"
        text = str(content.get("text", ""))
        setattr(found, name, getattr(found, name) + text)
        getattr(sys, name).write(text)
    elif kind in ("display_data", "execute_result", "update_display_data"):
        data: dict[str, Any] = content.get("data") or {}
        found.outputs.append(data)
        if kind == "execute_result":
            found.result = data
        _DISPLAYS[-1](data, content.get("metadata") or {})
    elif kind == "error":
        failed.update(content)
    elif kind == "execute_reply" and content.get("status") == "aborted":
        failed.update(ename="Aborted", evalue="An earlier cell failed.")
