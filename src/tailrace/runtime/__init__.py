"""A job's life: threads, checkpoints, dead letters."""
