"""Views of the dashboard that somebody saved: an address under a name, for everybody who may see what is on it."""
