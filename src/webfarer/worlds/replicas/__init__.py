"""Replicas of websites on which web agents gave wrong answers, one a file."""
