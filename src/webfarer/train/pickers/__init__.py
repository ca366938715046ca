"""Pickers: which items of a pool are worth a label; one file each, which defines `picker`."""
