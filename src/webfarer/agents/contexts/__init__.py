"""What of a long conversation the model is shown, one file each."""
