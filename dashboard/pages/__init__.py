"""The pages. The order here is that of the navigation; those without a group are reached from others."""

from dashboard.page import Page
from dashboard.pages import (
    access,
    admin,
    audit,
    catalogue,
    contracts,
    cost,
    dataset,
    impact,
    incident,
    lineage,
    mesh_map,
    overview,
    policies,
    product,
    provenance,
    quality,
    reports,
    runs,
    views,
)

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    quality.PAGE,
    cost.PAGE,
    runs.PAGE,
    lineage.PAGE,
    impact.PAGE,
    provenance.PAGE,
    mesh_map.PAGE,
    catalogue.PAGE,
    views.PAGE,
    contracts.PAGE,
    policies.PAGE,
    access.PAGE,
    audit.PAGE,
    reports.PAGE,
    admin.PAGE,
    incident.PAGE,
    product.PAGE,
    dataset.PAGE,
)

__all__ = ["PAGES"]
