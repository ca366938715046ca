"""Agents: the walker and what takes its decisions."""
