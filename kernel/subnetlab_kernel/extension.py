"""What the kernel and `%load_ext subnetlab_kernel` have in common: magics, help, short errors, pictures."""

from IPython.core.interactiveshell import InteractiveShell

from subnetlab_kernel import plain_errors, secret_guard
from subnetlab_kernel.inspection import spell_out_help
from subnetlab_kernel.magics import SubnetLabMagics
from subnetlab_kernel.services import SERVICES
from subnetlab_widgets import formatters


def load(shell: InteractiveShell) -> None:
    """Register everything on a shell; loading twice changes nothing."""
    shell.register_magics(SubnetLabMagics)
    if spell_out_help not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(spell_out_help)
    plain_errors.install(shell)
    secret_guard.install(shell)
    formatters.register(shell)


def unload(shell: InteractiveShell) -> None:  # noqa: ARG001  (IPython passes it)
    """Stop what runs behind the cells; the magics stay known, as IPython cannot forget one."""
    SERVICES.close()
