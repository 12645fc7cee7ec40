"""Scorecards: how well the mesh is governed, each figure with the rows behind it."""
