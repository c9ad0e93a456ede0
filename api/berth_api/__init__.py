"""What other programs see: custom resources and the one list of reason codes."""
