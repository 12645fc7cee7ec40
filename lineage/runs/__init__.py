"""Runs one by one: lists with their failures first, and everything about one of them."""
