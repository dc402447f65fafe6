"""nomock: run your tests against your real docker-compose stack."""
