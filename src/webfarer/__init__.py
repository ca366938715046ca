"""Webfarer: ask the web within a budget; get an answer, its sources, and the fare."""

__version__ = "0.1.0"
