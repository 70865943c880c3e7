"""Portfolios: projects with their values, as YAML, as schema, as printed."""
