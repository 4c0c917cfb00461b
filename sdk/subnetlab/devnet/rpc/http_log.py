"""What the HTTP library says in the node's log: of bad HTTP one line, without the client's text."""

import logging
from typing import Final

from aiohttp.http_exceptions import HttpProcessingError

HTTP_LOG: Final = logging.getLogger("subnetlab.devnet.http")
"""The library would log a client's bad header as it logs a fault of the node, with a traceback."""


def _in_one_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):  # its text quotes the header
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "What a client sent was refused as no HTTP: %s.", (type(error).__name__,)
        record.exc_info = record.exc_text = None
    return True


HTTP_LOG.addFilter(_in_one_line)
