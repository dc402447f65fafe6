"""How good the tests are: what they would notice, how steady they are, what to test next."""
