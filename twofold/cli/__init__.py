"""The command `twofold`."""
