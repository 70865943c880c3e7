"""Checks of a portfolio: rules, one per file, and the engine that applies them."""
