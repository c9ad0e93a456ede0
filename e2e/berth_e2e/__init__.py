"""A real Kubernetes control plane on one machine, for tests and demonstrations: see docs/cluster.md."""
