"""Checks of questions by machine; one file each, which defines `check`."""
