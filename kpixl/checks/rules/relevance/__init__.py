"""Rules of the category relevance, one file each."""
