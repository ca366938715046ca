"""Who takes the walker's decisions; one file each, found by listing the folder."""
