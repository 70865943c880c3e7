"""Rules of the category measurability, one file each."""
