"""Domains a world can be about; one file each, found by listing the folder."""
