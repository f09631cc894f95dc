"""`pulumi` as a user types it: the real command line, a language host, projects in folders."""
