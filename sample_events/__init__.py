"""A small retail company, seen through ninety days of OpenLineage events.

``sample_events.load`` reads the checked-in events (used by ``meshline demo``); everything else here writes them again.
See STORY.md for the company and for what was planted in its data.
"""
