"""A real browser on the stack: it opens services by name, and its requests are the test's."""
