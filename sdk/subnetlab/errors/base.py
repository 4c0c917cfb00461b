"""The one base of every error."""

from subnetlab.text import ended, plain_lines


class SubnetLabError(Exception):
    """Anything SubnetLab refuses or fails to do; `str()` is the sentence plus the next step."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep the sentence, and the next step where it differs from the class's own."""
        super().__init__(message)
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return plain_lines(f"{ended(message)} {self.hint}" if self.hint else message)
