"""Tests of the forms package, and the forms that tests alone use."""
