"""Who takes the dancer's decisions, one file each."""
