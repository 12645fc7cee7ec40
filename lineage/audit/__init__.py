"""Who did what: an append-only log in which nothing can be changed unnoticed."""

from lineage.audit.log import Act, Entry, check_reason, record, record_all

__all__ = ["Act", "Entry", "check_reason", "record", "record_all"]
