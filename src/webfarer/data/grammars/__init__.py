"""Grammars: what pages state in one form, read without a model; one file each, which defines `grammar`."""
