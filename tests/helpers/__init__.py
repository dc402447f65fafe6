"""What the tests of the reference suite share."""
