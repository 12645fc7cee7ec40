"""The backend ``meshline`` of networkx: its algorithms, on the arrays of the graph engine.

networkx finds it through the entry points ``networkx.backends`` and ``networkx.backend_info``; a :class:`MeshlineGraph`
(:mod:`lineage.networkx_backend.graph`) is a read-only ``networkx.DiGraph`` whose nodes and edges stand in arrays.
"""
