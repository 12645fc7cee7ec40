"""What people say by hand: that two names are one dataset or never are, that an edge exists or is wrong.

Statements are rows of their own (``alias_mark``, ``edge_mark``) with both clocks. Events never change them, a rebuild
keeps them, and each is an act in the audit log. Taking one back closes it on the known clock, so answers are what they
were.
"""
