"""Cells -> submissions: finds a form on a sheet and reads its values."""
