"""What a notebook shows of the SDK's lists: registered under the names that their classes have."""

from importlib import import_module
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from subnetlab.lab.run import Run
from subnetlab.lab.runs import Runs
from subnetlab_widgets.formatters import DRAW_THEMSELVES, HTML, register
from tests.sdk.lab import story


@pytest.mark.parametrize(("module", "name"), [*HTML, *DRAW_THEMSELVES])
def test_every_name_is_a_class_of_the_module_it_is_registered_under(module: str, name: str) -> None:
    assert getattr(import_module(module), name).__module__ == module


def test_a_list_of_runs_is_a_table_in_a_notebook_and_a_line_each_in_a_terminal(tmp_path: Path) -> None:
    shell = InteractiveShell()
    register(shell)
    found = Runs([Run(story.write(tmp_path / "r1", story.story()))])
    bundle, _ = shell.display_formatter.format(found)
    assert bundle["text/html"].count("<tr") == 2
    assert bundle["text/plain"] == repr(found)
    assert "text/html" not in shell.display_formatter.format(Runs())[0]
