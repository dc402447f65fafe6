"""What the reference services have in common: logs, settings, HTTP, tokens, the database."""
