"""Functions of the user in Python, called from SQL: how they are declared, found and run."""
