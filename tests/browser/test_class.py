"""A class in browsers: the board, and three students, each with a JupyterLab and a home of its own."""

import csv
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.lab import SCREENSHOTS, Lab
from tests.browser.server import running_lab
from tests.running_class import RunningClass, end, running_class, student

JOIN = "import subnetlab as sl\nnet = sl.connect({!r}, code={!r}, name={!r})"
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[RunningClass]:
    del browser  # without one the test is skipped before a class is started
    words = ("--students", "6", "--round-seconds", "6", "--notice", "5", "--title", "Monday <b>class</b>")
    with running_class(tmp_path_factory.mktemp("class"), *words) as room:
        yield room


def open_board(page: Page, room: RunningClass) -> None:
    page.goto(f"{room.address}/board#token={room.token}")
    # The page's policy forbids `eval`, which a condition in words would take when it is not true at once.
    page.get_by_role("heading", name=re.compile("^Monday")).wait_for()


@contextmanager
def refused(page: Page, path: str, told: str, *, status: int, body: str) -> Generator[None]:
    """What is asked for inside is refused, and the page says so."""
    page.route(path, lambda route: route.fulfill(status=status, body=body))
    with page.expect_event("dialog", lambda dialog: told in dialog.message):
        yield
    page.unroute(path)


def line(page: Page, name: str, has: str) -> None:
    """Wait until a student's line on the board holds some words."""
    row = page.locator("#rows tr", has=page.locator("td:first-child", has_text=re.compile(f"^{name}$")))
    row.filter(has_text=re.compile(has)).wait_for(timeout=300_000)


def test_the_board_shows_who_joined_resets_one_and_exports_grades(
    page: Page, room: RunningClass, tmp_path: Path
) -> None:
    hostile = "<img src=x>"
    with ExitStack() as held:
        one = student(tmp_path / "one")
        held.callback(end, one)
        open_board(page, room)
        page.get_by_text("No student has joined yet.").wait_for()
        assert room.token not in page.url
        assert page.locator("h1").inner_text() == "Monday <b>class</b>"
        one(JOIN.format(room.address, room.code, hostile))
        page.get_by_text(hostile).wait_for(timeout=60_000)
        assert page.locator("img").count() == 0
        assert page.locator("#where").inner_text().endswith(", 1 student")
        with page.expect_download() as download:
            page.get_by_role("button", name="Grades as CSV").click()
        rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
        assert [row["name"] for row in rows] == [hostile]
        page.on("dialog", lambda dialog: dialog.accept())
        reset = page.get_by_role("button", name=f"Reset {hostile}")
        with refused(page, "**/board/reset", "answers 502", status=502, body="<p>of a proxy</p>"):
            reset.click()
        with refused(page, "**/board/grades.csv", "Slower.", status=429, body='{"error": "Slower."}'):
            page.get_by_role("button", name="Grades as CSV").click()
        reset.click()
        page.get_by_text("No student has joined yet.").wait_for(timeout=60_000)
        assert "does not know you any more" in one("net = sl.connect(net._member.address)")
        page.reload()
        page.get_by_text("No student has joined yet.").wait_for()
        fresh = page.context.browser.new_context().new_page()  # type: ignore[union-attr]
        fresh.goto(f"{room.address}/board")
        fresh.get_by_text("This needs the educator's token").wait_for()
        fresh.context.close()


def test_three_students_in_browsers_one_cheats_one_restarts(
    page: Page, browser: Browser, room: RunningClass, tmp_path: Path
) -> None:
    starts = {
        "Ada": "net.start_miner()",
        "Bo": "net.start_miner(attack='sign_flip')",
        "Cy": "net.start_miner()",
    }
    open_board(page, room)
    with ExitStack() as held:
        opened: dict[str, tuple[Lab, Page, BrowserContext]] = {}
        for name, start in starts.items():
            lab = held.enter_context(running_lab(tmp_path / name))
            context = browser.new_context()
            held.callback(context.close)
            own = context.new_page()
            answer = "sl.check.exercise('1.1', 0.5); print(sl.check.report(1).sent)"
            cells = [JOIN.format(room.address, room.code, name) + "\nnet", start, answer]
            lab.open(own, lab.notebook("class.ipynb", cells))
            lab.run_all(own)
            opened[name] = (lab, own, context)
        for name, (_, own, _) in opened.items():
            own.get_by_text(f"{name} in the class at").wait_for(timeout=300_000)
            own.get_by_text("Your last 1 answer went to the class").wait_for(timeout=300_000)
        line(page, "Ada", "miner.*works")
        line(page, "Bo", "miner.*refused")
        lab, own, _ = opened["Cy"]
        own.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
        lab.append(
            own, f"import subnetlab as sl; net = sl.connect({room.address!r}); print(net.start_miner())"
        )
        own.get_by_text("Your miner runs").last.wait_for(timeout=300_000)
        line(page, "Cy", "miner.*works.*1 of")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "class-board.png")
        with page.expect_download() as download:
            page.get_by_role("button", name="Grades as CSV").click()
        text = download.value.path().read_text()
        rows = {row["name"]: row for row in csv.DictReader(text.splitlines())}
        assert {name: rows[name]["1.1"] for name in starts} == dict.fromkeys(starts, "1")
        assert int(rows["Ada"]["paid_alpha_rao"]) > int(rows["Bo"]["paid_alpha_rao"])
