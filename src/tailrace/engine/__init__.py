"""The engine: whole batches through operators, on one thread, without I/O."""
