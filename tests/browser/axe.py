"""WCAG 2.1 AA by axe-core, which ``axe-playwright-python`` brings; nothing is fetched."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
ALLOWED = {
    # Mantine's Dash target is a <div> around our button and carries its state; the button itself is named and focusable
    "aria-allowed-attr": "-target",
}
"""Rule to the part of a selector where it is not asked for. Everything here is markup of a library."""

_axe = Axe()


def findings(page: Page, *, colours_only: bool = False) -> list[str]:
    """What is wrong on a page: rule, place and advice, one line each."""
    run = {"type": "rule", "values": ["color-contrast"]} if colours_only else {"type": "tag", "values": TAGS}
    options = {"runOnly": run, "resultTypes": ["violations"], "iframes": False, "preload": False}
    if not page.evaluate("'axe' in window"):  # one page keeps it through all its addresses
        page.evaluate(_axe.axe_script)
    violations: list[dict[str, Any]] = page.evaluate("async (o) => (await axe.run(document, o)).violations", options)
    found = []
    for violation in violations:
        part = ALLOWED.get(violation["id"])
        for node in violation["nodes"]:
            target = " ".join(map(str, node["target"]))
            if part is None or part not in target:
                why = " ".join(line.strip() for line in (node.get("failureSummary") or "").splitlines()[1:2])
                found.append(f"{violation['id']}: {target}: {why}: {node['html'][:160]}")
    return found
