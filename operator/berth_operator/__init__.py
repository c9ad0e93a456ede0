"""Floor 5: the control plane. One leader plans, executes plans and says why pods wait."""
