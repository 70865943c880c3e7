"""A portfolio as a publication."""

from kpixl.output.publish.html import check_ending, render_page

__all__ = ["check_ending", "render_page"]
