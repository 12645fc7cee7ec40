"""The pages. The order here is that of the navigation."""

from dashboard.page import Page
from dashboard.pages import catalogue, impact, lineage, mesh_map, overview, provenance

PAGES: tuple[Page, ...] = (overview.PAGE, lineage.PAGE, impact.PAGE, provenance.PAGE, mesh_map.PAGE, catalogue.PAGE)

__all__ = ["PAGES"]
