"""What a test does to a database, and how the database is brought back to what it was before."""
