"""Synths: ways to make questions; one file each, which defines `synth`."""
