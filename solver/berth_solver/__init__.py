"""The solver: problems, bounds, search and verification. Pure: no I/O, no Kubernetes."""
