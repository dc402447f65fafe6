"""Sequences of faults that nobody wrote down: by a seed, or as a Hypothesis strategy."""
