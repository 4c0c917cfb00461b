"""Stake and pay by form: look first, click once, and never twice.

`forms` opens one on a notebook's network, `preview` says what a spend would do, `spend` is the state machine
that sends it at most once, `form` the widget, `plain` what remains of it without one. Every spend goes
through the notebook's own purse: balance, budget, and the click as the yes.
"""

from subnetlab_widgets.money.form import SpendForm as SpendForm
from subnetlab_widgets.money.forms import pay_form as pay_form
from subnetlab_widgets.money.forms import stake_form as stake_form
