"""The report for people who decide: how a domain or the mesh is governed over a period, on paper or as a mail."""
