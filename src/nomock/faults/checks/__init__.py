"""What a test asks of the system while it is broken, and afterwards."""
