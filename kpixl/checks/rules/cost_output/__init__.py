"""Rules of the category cost-output, one file each."""
