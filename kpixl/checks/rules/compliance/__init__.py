"""Rules of the category compliance, one file each."""
