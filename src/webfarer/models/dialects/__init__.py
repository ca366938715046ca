"""How model families write tool calls, one file each."""
