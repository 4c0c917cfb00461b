"""A person at a notebook: train, watch, stake by form, restart the kernel, attach, finish."""

from playwright.sync_api import Page

from tests.browser.lab import Lab, shoot
from tests.browser.waiting import wait_until

TRAIN = """\
%%train --miners 3 --validators 2 --free-riders 1 --rounds {rounds}
model = sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
data = sl.data.stdlib(400_000)
strategy = sl.strategies.SparseLoCo(inner_steps=2)
"""
VIEW = "window.__subnetlab?.at(-1)"


def test_a_run_is_watched_paid_for_and_found_again_after_a_restart(server: Lab, page: Page) -> None:
    cells = ["import subnetlab as sl", TRAIN.format(rounds=40)]
    server.open(page, server.notebook("run.ipynb", cells))
    server.run_all(page)
    wait_until(page, f"({VIEW}?.store.last ?? 0) >= 3")
    wait_until(page, "document.querySelector('.sl h2')?.textContent.includes('strangers are at')")
    wait_until(
        page,
        "(all => all.length > 0 && all.every(e => e.offsetParent === null))"
        "([...document.querySelectorAll('[data-subnetlab-saved]')])",
    )

    server.append(page, "%sl stake")
    page.locator(".sl-form [name=amount]").fill("10")
    button = page.locator(".sl-form .send")
    wait_until(page, "document.querySelector('.sl-form .send')?.disabled === false")
    assert "Stake 10 play τ" in button.inner_text()
    shoot(page, "stake-preview", ".sl-form")
    button.dblclick()
    wait_until(page, "document.querySelector('.sl-form .receipt b')?.textContent === 'Finalised'")
    shoot(page, "stake-finalised", ".sl-form")

    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
    )
    server.append(page, "%sl attach tiny-lm")
    wait_until(
        page, f"document.querySelectorAll('.sl h2').length > 1 && ({VIEW}?.status.state) === 'finished'"
    )
    assert "strangers reached" in page.locator(".sl h2").last.inner_text()
    shoot(page, "dashboard-attached", ".sl >> nth=-1")
    patterns = page.evaluate("() => [...document.querySelectorAll('.sl pattern')].map(e => e.id)")
    assert len(set(patterns)) == len(patterns) == 2, (
        "a pattern that two dashboards share goes when one is hidden"
    )
