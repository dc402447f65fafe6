"""What is to hold whatever happens: Hypothesis on the live stack."""
