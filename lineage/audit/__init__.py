"""Who did what: an append-only log in which nothing can be changed unnoticed."""

from lineage.audit.log import Act, record

__all__ = ["Act", "record"]
