"""Takes provisioning jobs from the queue in PostgreSQL; may be killed at any moment."""
