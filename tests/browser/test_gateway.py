"""JupyterLab here, kernels on a host: a widget with a binary buffer is drawn, and answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from subnetlab.commands import lab as command
from tests.browser.lab import Lab
from tests.browser.server import running_lab
from tests.kernel.hosts import Host, running_host

WIDGET = """
import anywidget, traitlets
class Bytes(anywidget.AnyWidget):
    _esm = '''export default { render({ model, el }) {
      const bytes = () => new Uint8Array(model.get("data").buffer);
      const show = () => { el.textContent = "sum " + bytes().reduce((a, b) => a + b, 0); };
      el.className = "bytes-widget"; show(); model.on("change:data", show);
      el.onclick = () => model.send({}, undefined, [new Uint8Array([4, 5, 255]).buffer]);
    } }'''
    data = traitlets.Bytes(bytes([1, 2, 250])).tag(sync=True)
shown = Bytes()
shown.on_msg(lambda widget, content, buffers: setattr(widget, "data", bytes(buffers[0])))
shown
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running_host(users=("anna",)) as host:
        yield host


@pytest.fixture(scope="module")
def lab(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    options = command.gateway_options(host.url)
    root: Path = tmp_path_factory.mktemp("lab")
    file = host.folder / "tokens" / "anna.token"
    with running_lab(root, *options, SUBNETLAB_GATEWAY_TOKEN_FILE=str(file)) as lab:
        yield lab
    log = (root / "home" / "server.log").read_text()
    assert "GatewayKernelManager started kernel" in log
    assert host.token("anna") not in log


def test_a_widget_with_bytes_is_drawn_and_answers(page: Page, lab: Lab, host: Host) -> None:
    lab.open(page, lab.notebook("bytes.ipynb", [WIDGET, "import os; print(os.environ['USER'])"]))
    lab.run_all(page)
    page.wait_for_selector(".bytes-widget:has-text('sum 253')", timeout=120_000)
    page.click(".bytes-widget")
    page.wait_for_selector(".bytes-widget:has-text('sum 264')", timeout=60_000)
    page.wait_for_selector(".jp-OutputArea-output:has-text('anna')", timeout=60_000)
    assert host.token("anna") not in page.content()
