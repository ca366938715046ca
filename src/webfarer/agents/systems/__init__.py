"""Systems: whole ways to an answer, as a table of results names them; one file each, which defines `system`."""
