"""Reaching and reading the web: guard, fetch, archive, extract, scope. Alone speaks HTTP to strangers."""
