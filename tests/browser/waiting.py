"""Wait for what a person would see, however slow the machine; where it never comes, show the notebook."""

from playwright.sync_api import Error, Page


def wait_until(page: Page, condition: str, timeout_s: float = 120) -> None:
    """Wait until a JavaScript expression is true."""
    try:
        page.wait_for_function(f"() => {condition}", timeout=timeout_s * 1000)
    except Error as error:
        shown = page.locator(".jp-Notebook").inner_text()
        raise AssertionError(f"never came: {condition}\nThe notebook shows:\n{shown}") from error
