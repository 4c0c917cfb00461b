"""Magics and kernel."""
