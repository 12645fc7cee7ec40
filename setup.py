"""The compiled parts. They are optional: without a C compiler Python and numpy do the same, slower."""

from pathlib import Path

from setuptools import Extension, setup

KERNELS, ANALYSIS = (sorted(map(str, Path("lineage/graph").glob(f"{name}/*.h"))) for name in ("kernels", "analysis"))

setup(
    ext_modules=[
        Extension(
            "lineage.graph._kernels",
            sources=["lineage/graph/kernels/module.c"],
            depends=KERNELS,
            extra_compile_args=["-O3"],
            optional=True,
        ),
        Extension(
            "lineage.graph.analysis._analysis",
            sources=["lineage/graph/analysis/_analysis.c"],
            depends=["lineage/graph/kernels/buffers.h", *ANALYSIS],
            extra_compile_args=["-O3"],
            optional=True,
        ),
        Extension("ingest._scan", sources=["ingest/_scan.c"], extra_compile_args=["-O3"], optional=True),
        Extension(
            "lineage.cost._share",
            sources=["lineage/cost/_share.c"],
            depends=["lineage/graph/kernels/buffers.h"],
            extra_compile_args=["-O3"],
            optional=True,
        ),
    ]
)
