"""`python -m subnetlab.devnet` starts the node."""

import os
import sys

# The HTTP library reads every trusted certificate when it is imported: a fifth of the node's start. This
# process only ever serves loopback without TLS, so it is given none to read.
os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull

from subnetlab.devnet.command import main

sys.exit(main())
