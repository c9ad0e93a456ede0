"""Placement wishes in plain language: from text to intents, and from intents to how well a node suits a pod.

Read first `intents` (what can be wished), then `understood` (what parsing a hint gives), `vocabulary` (the cluster's names)
and `parser` (text to intents); `facts` and `scoring` judge nodes; `native` writes what Kubernetes can say itself.
"""
