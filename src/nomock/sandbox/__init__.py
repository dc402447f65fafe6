"""The sandbox: a Kubernetes namespace that holds the promoted stack."""
