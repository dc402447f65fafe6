"""The data that tests made, written down before it is made, and how each of it is undone."""
