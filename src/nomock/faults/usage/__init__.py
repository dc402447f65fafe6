"""Which faults the tests have used where, kept from run to run: what ``nomock edges`` shows."""
