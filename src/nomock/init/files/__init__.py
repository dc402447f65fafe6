"""What `nomock init` writes, one file a kind: what is wanted of it, and how it is taken away."""
