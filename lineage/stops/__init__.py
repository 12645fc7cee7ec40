"""Approved stops: where a tag does not go on, because somebody asked for it and somebody else approved it."""
