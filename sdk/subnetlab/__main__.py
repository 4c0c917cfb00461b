"""`python -m subnetlab …`: the same as the command `subnetlab`."""

import sys

from subnetlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
