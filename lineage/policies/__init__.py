"""Policies as code: SQL over documented views, evaluated in a sandbox."""
