"""Coverage of the services: the spy in their containers, what it records, and what that tells."""
