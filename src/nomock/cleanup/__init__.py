"""What tests left in the stack's stores, by rules: found, and removed."""
