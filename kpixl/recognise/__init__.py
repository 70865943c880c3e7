"""Recognising which form a sheet is, by evidence: titles and labels of every form and kind that is known."""
