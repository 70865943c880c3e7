"""The version of kpixl, for whatever is written with it."""

__version__ = "0.1.0"
