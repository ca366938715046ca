"""Tasks: questions with known answers, in the formats they are published in; one file each, which defines `task`."""
