"""Rules of the funnel: what drops a trajectory; one file each, which defines `rule`."""
