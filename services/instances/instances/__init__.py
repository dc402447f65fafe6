"""Provisioning API: a customer orders instances, and the worker makes them run."""
