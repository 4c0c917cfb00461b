"""What a page says to a widget arrives, whatever the cells and the other pages do."""

from typing import Any

from tests.kernel.running import RunningKernel

SHOWN = """\
import threading
import subnetlab as sl
from subnetlab_widgets import pay_form
net = sl.connect()
form, heard = pay_form(net, to="bob"), threading.Semaphore(0)
form.on_msg(lambda _widget, content, _buffers: heard.release() if content.get("k") == "look" else None)
print(form.comm.comm_id)
"""
BUSY = "print('busy', flush=True); print('heard' if heard.acquire(timeout=20) else 'not heard')"


def control(kernel: RunningKernel, kind: str, **content: Any) -> dict[str, Any]:
    client = kernel.client
    client.control_channel.send(client.session.msg(kind, content))
    return client.get_control_msg(timeout=20)["content"]


def say(kernel: RunningKernel, comm: str, content: dict[str, Any], subshell: str | None) -> None:
    """What JupyterLab sends for a widget's page: a message that names the page's own subshell."""
    data = {"method": "custom", "content": content}
    message = kernel.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    message["header"]["subshell_id"] = subshell
    kernel.client.shell_channel.send(message)


def output_of(kernel: RunningKernel, cell: str) -> str:
    """What a cell that was begun prints after its first line."""
    while True:
        heard = kernel.client.get_iopub_msg(timeout=30)
        if heard["parent_header"].get("msg_id") == cell and heard["msg_type"] == "stream":
            return heard["content"]["text"].strip()


def test_a_form_hears_its_page_while_a_cell_runs(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    page = control(kernel, "create_subshell_request")["subshell_id"]
    cell = kernel.send(BUSY)
    say(kernel, comm, {"k": "look", "amount": "1", "target": "bob"}, page)
    assert output_of(kernel, cell) == "heard"
    kernel.run("net.close()")


def test_a_form_hears_its_page_after_another_page_has_deleted_its_subshell(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    pages = [control(kernel, "create_subshell_request")["subshell_id"] for _ in range(2)]
    say(kernel, comm, {"k": "hello"}, pages[1])  # the beat answers it from there
    say(kernel, comm, {"k": "look", "amount": "1", "target": "bob"}, pages[1])
    assert kernel.run("print(heard.acquire(timeout=20))").stdout == "True\n"
    assert control(kernel, "delete_subshell_request", subshell_id=pages[1])["status"] == "ok"
    cell = kernel.send(BUSY)
    say(kernel, comm, {"k": "look", "amount": "2", "target": "bob"}, pages[0])
    assert output_of(kernel, cell) == "heard"
    kernel.run("net.close()")


def test_a_form_that_is_shown_beats_before_its_page_is_heard(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    page = control(kernel, "create_subshell_request")["subshell_id"]
    cell = kernel.send("print('shown', flush=True); display(form); print(heard.acquire(timeout=20))")
    beat: list[dict[str, Any]] = []
    while not beat:
        message = kernel.client.get_iopub_msg(timeout=20)
        content = message["content"]
        assert message["parent_header"].get("msg_id") != cell or message["msg_type"] != "status", "never beat"
        if content.get("comm_id") == comm and content["data"].get("content") == {"k": "beat"}:
            beat.append(content)
    say(kernel, comm, {"k": "look", "amount": "1", "target": "bob"}, page)
    assert output_of(kernel, cell) == "True"
    kernel.run("net.close()")
