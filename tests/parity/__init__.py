"""The parity matrix: what is promised, and by which tests of the last run it is proved in each place."""
