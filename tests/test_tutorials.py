"""Every notebook of the course: clean in git, named as a question, and executed on our kernel."""

import nbformat
from nbclient import NotebookClient


def test_a_notebook_runs_headless_on_our_kernel() -> None:
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "subnetlab", "display_name": "SubnetLab", "language": "python"}}
    )
    notebook.cells = [nbformat.v4.new_code_cell("%sl"), nbformat.v4.new_code_cell("1 + 1")]
    NotebookClient(notebook, timeout=30).execute()
    assert "%sl pay" in notebook.cells[0].outputs[0]["data"]["text/plain"]
    assert notebook.cells[1].outputs[0]["data"]["text/plain"] == "2"
