"""Measuring: quality always beside cost."""
