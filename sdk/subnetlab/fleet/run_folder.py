"""Names of the files in a run's folder that belong to its fleet; `fleet.json` is `fleet.spec`'s.

A file of its own, because `lab`, `archive`, supervisor and workers share these names and nothing else.
"""

from typing import Final

MANIFEST_FILE: Final = "manifest.json"
ANSWERS_FILE: Final = "answers.json"
"""Of a run of answers: the miners' functions, which its manifest does not name."""
PEERS_FOLDER: Final = "peers"
"""Of a run of answers: a folder for the functions of each peer, by its uid."""
DATA_FOLDER: Final = "data"
"""Where a run's folder holds its tokens, if they cannot be made again from the manifest."""
STORE_FOLDER: Final = "store"
"""Where the objects of a run on this machine lie."""
RESULT_FOLDER: Final = "result"
MODEL_FILE: Final = "model.safetensors"
CONFIG_FILE: Final = "config.json"
CARD_FILE: Final = "README.md"
"""These three lie in the result's folder."""
LOCK_FILE: Final = "supervisor.lock"
"""Held by the supervisor as long as it lives."""
SUPERVISOR_FILE: Final = "supervisor.json"
"""Process id and control token of the supervisor."""
LOG_FILE: Final = "supervisor.log"
READY_FD: Final = "SUBNETLAB_READY_FD"
"""The environment variable that names the pipe on which a new supervisor says that it is up."""
UP: Final = b"up\n"
