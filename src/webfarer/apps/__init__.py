"""The faces: they choose, call and show; no logic."""
