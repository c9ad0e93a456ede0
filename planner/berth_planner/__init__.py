"""Snapshot to problem to plan, and why a pod waits."""
