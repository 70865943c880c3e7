"""Rules of the category completeness, one file each."""
