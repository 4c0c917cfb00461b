"""Stake and pay with a key that never leaves the browser.

`browser_wallet` opens the widget, `exchange` asks the pages so that one of them answers once, `signer` is the
SDK's signer over it, `ethereum` and `provider` the same for the EVM and for web3.py.
"""

from subnetlab.lab.session import Net
from subnetlab_widgets.wallet.signer import PageSigner as PageSigner
from subnetlab_widgets.wallet.widget import BrowserWallet as BrowserWallet


def browser_wallet(net: Net) -> BrowserWallet:
    """A widget through which wallets of the browser sign for a notebook's network.

    Example:
        >>> page = browser_wallet(net)  # doctest: +SKIP
        >>> net.stake(amount_tao=1, hotkey_ss58=hotkey, netuid=1, wallet=page.signer())  # doctest: +SKIP
    """
    return BrowserWallet(net)
