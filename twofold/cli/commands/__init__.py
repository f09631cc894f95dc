"""What is typed. A command imports what does its work when it is called, so that `--help` and completion stay quick."""
