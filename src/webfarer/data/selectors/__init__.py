"""Selectors: which rows are worth training on; one file each, which defines `selector`."""
