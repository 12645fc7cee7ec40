"""The pages. The order here is that of the navigation."""

from dashboard.page import Page
from dashboard.pages import catalogue, impact, lineage, mesh_map, overview

PAGES: tuple[Page, ...] = (overview.PAGE, lineage.PAGE, impact.PAGE, mesh_map.PAGE, catalogue.PAGE)

__all__ = ["PAGES"]
