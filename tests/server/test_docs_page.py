"""The OpenAPI page in a real browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.server.running import PATIENCE, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="needs chromium")
@pytest.mark.parametrize("base_path", ["/tools/meshline/"])  # what holds under a path holds at the root
def test_the_openapi_page_works_and_asks_no_other_host(tmp_path: Path, base_path: str) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    with serving(tmp_path / "docs.duckdb", base_path=base_path) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.url}api/docs")
        route = page.locator("#operations-OpenLineage-postRunEvent")
        route.click()
        route.get_by_role("button", name="Execute").click()  # sends the example event
        expect(route.locator(".live-responses-table tbody .response-col_status").first).to_contain_text(
            "201", timeout=PATIENCE * 1000
        )
        browser.close()
        assert server.health()["received"]["accepted"] == 1
    assert complaints == []
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(server.url).netloc}
