"""The program: stack config in, one cloud's resources out."""
