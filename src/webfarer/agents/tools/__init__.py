"""What a searching agent can do, one tool a file."""
