"""The compiled traversal kernels. They are optional: without a C compiler the numpy ones do the same, slower."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "lineage.graph._kernels",
            sources=["lineage/graph/kernels/module.c"],
            depends=[
                f"lineage/graph/kernels/{name}.h" for name in ("buffers", "grade", "graph", "order", "search", "sort")
            ],
            extra_compile_args=["-O3"],
            optional=True,
        )
    ]
)
