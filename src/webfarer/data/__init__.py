"""The data factory: questions with evidence, trajectories, training rows; every step counted and checked by machine."""
