"""The pages. The order here is that of the navigation."""

from dashboard.page import Page
from dashboard.pages import catalogue, lineage, overview

PAGES: tuple[Page, ...] = (overview.PAGE, lineage.PAGE, catalogue.PAGE)

__all__ = ["PAGES"]
