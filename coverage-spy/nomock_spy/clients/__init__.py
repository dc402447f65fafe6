"""Where each client library lets a request be given the baggage of the test; one file each."""
