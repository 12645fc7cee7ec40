"""The compiled kernels of the graph engine. They are optional: without a C compiler numpy does the same, slower."""

from setuptools import Extension, setup

KERNELS = ("block", "buffers", "graph", "methods", "order", "path", "renumber", "search", "sort", "sweep")
ANALYSIS = ("components", "digraph", "failure", "failures", "graph", "rank", "reach")

setup(
    ext_modules=[
        Extension(
            "lineage.graph._kernels",
            sources=["lineage/graph/kernels/module.c"],
            depends=[f"lineage/graph/kernels/{name}.h" for name in KERNELS],
            extra_compile_args=["-O3"],
            optional=True,
        ),
        Extension(
            "lineage.graph.analysis._analysis",
            sources=["lineage/graph/analysis/_analysis.c"],
            depends=[
                "lineage/graph/kernels/buffers.h",
                *(f"lineage/graph/analysis/{name}.h" for name in ANALYSIS),
            ],
            extra_compile_args=["-O3"],
            optional=True,
        ),
        Extension(
            "lineage.cost._share",
            sources=["lineage/cost/_share.c"],
            depends=["lineage/graph/kernels/buffers.h"],
            extra_compile_args=["-O3"],
            optional=True,
        ),
    ]
)
