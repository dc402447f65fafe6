"""Billing: what a tenant subscribes to, and what follows when the payment provider is paid."""
