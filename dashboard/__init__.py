"""The pages: a Dash application over the query layer. See docs/design.md.

Dash serves the canvas component from this package: it reads ``_js_dist`` and ``__version__`` of the package a
component class lives in. The JavaScript object that holds the component is named in
:mod:`dashboard.lineage_graph.component`.
"""

from lineage import __version__

__all__ = ["__version__"]

_PICTURE = ("model", "pens", "draw", "view", "component", "columns", "spark", "trail", "delta", "time", "here")
_js_dist = [
    {"relative_package_path": f"{path}.js", "namespace": "dashboard"}
    for path in (*(f"lineage_graph/{name}" for name in _PICTURE), "still")
]
