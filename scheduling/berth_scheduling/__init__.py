"""Floor 3: decides where a pod may go and which node suits it best. Pure functions on what the cluster told; no I/O."""
