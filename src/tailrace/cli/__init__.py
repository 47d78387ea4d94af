"""The command line: each command is thin and calls the library."""
