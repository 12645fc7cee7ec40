"""The graph at every instant of valid time, in one structure that is asked about any of them."""

from lineage.graph.timeline.members import TooManyChangesError
from lineage.graph.timeline.past import Past
from lineage.graph.timeline.timeline import Timeline

__all__ = ["Past", "Timeline", "TooManyChangesError"]
