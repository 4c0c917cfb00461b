"""`python -m subnetlab.devnet` starts the node."""

import gc
import os
import sys

# The HTTP library reads every trusted certificate when it is imported: a fifth of the node's start. This
# process only ever serves loopback without TLS, so it is given none to read.
os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull

# Nothing that an import makes is garbage, so the collector rests until all are done and skips them later.
gc.disable()
from subnetlab.devnet.node.command import main  # noqa: E402 - after the collector stopped

gc.freeze()
gc.enable()
sys.exit(main())
