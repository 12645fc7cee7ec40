"""Where events come from: files and HTTP."""
