"""Stake and pay by form: look first, click once, and never twice.

`preview` says what a spend would do, `spend` is the state machine that sends it at most once, `form` the
widget. Every spend goes through the network client's purse: balance, budget, and the click as the yes.
"""

from subnetlab_widgets.money.form import SpendForm as SpendForm
