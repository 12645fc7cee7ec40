"""The facet registry: which facets Meshline understands, where they may stand, what they become."""

from ingest.facets.registry import DATASET, JOB, REGISTRY, RUN, Facet, find

__all__ = ["DATASET", "JOB", "REGISTRY", "RUN", "Facet", "find"]
