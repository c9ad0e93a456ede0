"""Which nodes hold which models: seen from pods, written on nodes."""
