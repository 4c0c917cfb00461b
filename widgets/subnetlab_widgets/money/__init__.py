"""Stake, pay and fund jobs by form: look first, click once, and never twice.

`staking`, `paying` and `jobs` open one on a notebook's network; `fields` and `preview` say what it shows,
`spend` is the state machine that sends it at most once, `form` the widget, `forms` the open ones, `plain`
what remains without widgets. Every spend goes through the notebook's own purse: balance, budget, and the
click as the yes. `table` shows what was spent.
"""

from subnetlab_widgets.money.form import SpendForm as SpendForm
from subnetlab_widgets.money.jobs import job_form as job_form
from subnetlab_widgets.money.paying import pay_form as pay_form
from subnetlab_widgets.money.staking import move_form as move_form
from subnetlab_widgets.money.staking import stake_form as stake_form
from subnetlab_widgets.money.staking import unstake_form as unstake_form
from subnetlab_widgets.money.table import ledger_view as ledger_view
from subnetlab_widgets.money.table import receipts_view as receipts_view
