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
    return client.get_control_msg(timeout=300)["content"]


def say(kernel: RunningKernel, comm: str, content: dict[str, Any], subshell: str | None) -> None:
    """What JupyterLab sends for a widget's page: a message that names the page's own subshell."""
    data = {"method": "custom", "content": content}
    message = kernel.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    message["header"]["subshell_id"] = subshell
    kernel.client.shell_channel.send(message)


def output_of(kernel: RunningKernel, cell: str) -> str:
    """What a cell that was begun prints after its first line."""
    while True:
        heard = kernel.client.get_iopub_msg(timeout=300)
        if heard["parent_header"].get("msg_id") == cell and heard["msg_type"] == "stream":
            return heard["content"]["text"].strip()


def test_a_form_hears_its_page_while_a_cell_runs(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    page = control(kernel, "create_subshell_request")["subshell_id"]
    cell = kernel.send(BUSY)
    say(kernel, comm, {"k": "look", "fields": {"amount": "1", "target": "bob"}}, page)
    assert output_of(kernel, cell) == "heard"
    kernel.run("net.close()")


def test_a_form_hears_its_page_after_another_page_has_deleted_its_subshell(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    pages = [control(kernel, "create_subshell_request")["subshell_id"] for _ in range(2)]
    say(kernel, comm, {"k": "hello"}, pages[1])  # the beat answers it from there
    say(kernel, comm, {"k": "look", "fields": {"amount": "1", "target": "bob"}}, pages[1])
    assert kernel.run("print(heard.acquire(timeout=20))").stdout == "True\n"
    assert control(kernel, "delete_subshell_request", subshell_id=pages[1])["status"] == "ok"
    cell = kernel.send(BUSY)
    say(kernel, comm, {"k": "look", "fields": {"amount": "2", "target": "bob"}}, pages[0])
    assert output_of(kernel, cell) == "heard"
    kernel.run("net.close()")


def test_a_form_that_is_shown_beats_before_its_page_is_heard(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    page = control(kernel, "create_subshell_request")["subshell_id"]
    cell = kernel.send("print('shown', flush=True); display(form); print(heard.acquire(timeout=20))")
    beat: list[dict[str, Any]] = []
    while not beat:
        message = kernel.client.get_iopub_msg(timeout=300)
        content = message["content"]
        assert message["parent_header"].get("msg_id") != cell or message["msg_type"] != "status", "never beat"
        if content.get("comm_id") == comm and content["data"].get("content") == {"k": "beat"}:
            beat.append(content)
    say(kernel, comm, {"k": "look", "fields": {"amount": "1", "target": "bob"}}, page)
    assert output_of(kernel, cell) == "True"
    kernel.run("net.close()")


def test_a_page_that_is_opened_while_a_cell_runs_learns_what_widgets_there_are(kernel: RunningKernel) -> None:
    comm = kernel.run(SHOWN).stdout.strip()
    client = kernel.client
    cell = kernel.send(BUSY)
    for kind, found in (("kernel_info_request", "banner"), ("comm_info_request", "comms")):
        asked = client.session.msg(kind, {})
        client.shell_channel.send(asked)
        reply = client.get_shell_msg(timeout=300)
        assert reply["parent_header"]["msg_id"] == asked["header"]["msg_id"]
        assert reply["content"][found]
    assert comm in reply["content"]["comms"]
    states = "the page's own"
    control_comm = {"comm_id": states, "target_name": "jupyter.widget.control", "data": {}}
    for kind, content in (
        ("comm_open", control_comm),
        ("comm_msg", {"comm_id": states, "data": {"method": "request_states"}}),
    ):
        client.shell_channel.send(client.session.msg(kind, content, metadata={"version": "1.0.0"}))
    while True:
        told = client.get_iopub_msg(timeout=300)
        if told["msg_type"] == "comm_msg" and told["content"]["comm_id"] == states:
            break
    assert comm in told["content"]["data"]["states"]
    page = control(kernel, "create_subshell_request")["subshell_id"]
    say(kernel, comm, {"k": "look", "fields": {"amount": "1", "target": "bob"}}, page)
    assert output_of(kernel, cell) == "heard"
    kernel.run("net.close()")
