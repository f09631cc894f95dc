"""Emulators as processes of their own, on loopback, one of each a session."""
