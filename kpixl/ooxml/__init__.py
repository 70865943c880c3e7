"""Reads and edits Office Open XML packages part by part: whatever is not changed is copied as it is."""
