"""The rules, by category; kpixl.checks.registry lists them."""
