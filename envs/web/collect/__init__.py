"""Demonstrations from exploring sites: what somebody did is told afterwards, checked, and written down."""
