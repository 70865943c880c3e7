"""Everything that kpixl writes for people."""
