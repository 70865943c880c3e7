"""Returned files -> one portfolio: reads them in workers, matches them to the roster, merges and checks."""
