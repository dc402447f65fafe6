"""One-shot service that brings the schema, the roles and the seeded clients up to date."""
