"""One portfolio, and two beside each other."""
