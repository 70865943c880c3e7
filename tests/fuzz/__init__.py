"""Fuzzing: inputs made from seeds, and the harness that reads them (run.py)."""
