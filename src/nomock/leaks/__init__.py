"""What tests leave in the stores of a stack: rows, keys, entries of queues, open connections."""
