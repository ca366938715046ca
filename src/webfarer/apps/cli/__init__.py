"""The command line: one module per command or group of commands; a name that begins with `_` is a helper."""
