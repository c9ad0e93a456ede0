"""The embedded example: a small GPU cluster in which free GPUs are plenty and useless."""
