"""Kubernetes objects to an immutable snapshot."""
