"""Rules of kpixl check on scores: points, what was reached, and what follows from both."""
