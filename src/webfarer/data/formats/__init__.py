"""Formats that training rows are exported to; one file each, which defines `format`."""
