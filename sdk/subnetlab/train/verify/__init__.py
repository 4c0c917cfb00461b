"""Whether a run took place as it is told: every claim of manifest, data, record and store against the chain.

For a third party that can read and nothing else. `verify` does all checks; each of the other modules holds
those of one subject. Nothing here writes, signs, or trusts a word that can be computed again.
"""

from subnetlab.train.verify.findings import Check, Finding, Report
from subnetlab.train.verify.sources import Sources
from subnetlab.train.verify.verify import verify

__all__ = ["Check", "Finding", "Report", "Sources", "verify"]
