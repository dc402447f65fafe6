"""Who may use which part of a stack while a test breaks it."""
