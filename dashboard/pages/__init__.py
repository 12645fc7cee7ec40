"""The pages. The order here is that of the navigation."""

from dashboard.page import Page
from dashboard.pages import catalogue, lineage, mesh_map, overview

PAGES: tuple[Page, ...] = (overview.PAGE, lineage.PAGE, mesh_map.PAGE, catalogue.PAGE)

__all__ = ["PAGES"]
