"""What a cell waits for is shown below it, and gone from the page when it is over."""

from tests.kernel.running import RunningKernel

CELL = """\
import threading
from subnetlab import waiting
from subnetlab_kernel.extension import OutputLine
shown = threading.Event()
class Noted(OutputLine):
    def show(self, what, detail):
        super().show(what, detail)
        shown.set()
waiting.PATIENCE_S = 0.001
waiting.show_with(Noted)
with waiting.waiting("a block"):
    assert shown.wait(300)
"""


def test_a_wait_is_an_output_of_its_cell_that_is_empty_at_the_end(kernel: RunningKernel) -> None:
    reply = kernel.run(CELL)
    assert reply.status == "ok", reply.evalue
    assert reply.waits[0].startswith("Waiting for a block … ")
    assert reply.waits[-1] == ""
    assert reply.data == []
    assert reply.stderr == ""


def test_our_kernel_tells_waits_in_the_page(kernel: RunningKernel) -> None:
    kernel.run("from subnetlab_kernel.extension import load; load(get_ipython())")
    reply = kernel.run("from subnetlab import waiting; print(waiting._line.__name__)")
    assert reply.stdout == "OutputLine\n"
