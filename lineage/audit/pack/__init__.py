"""Evidence packs: where a figure came from, as a file that proves itself without Meshline."""
