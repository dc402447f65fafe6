"""The adapters: each is the only module that knows its dependency."""
