"""kpixl: performance target workbooks out, one canonical YAML file and a summary back."""

__version__ = "0.1.0"
