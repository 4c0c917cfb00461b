"""`python -m subnetlab.devnet` starts the node."""

import sys

from subnetlab.devnet.command import main

sys.exit(main())
