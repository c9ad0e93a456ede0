"""LLMServices: from the object to running pods, and what is true of them.

Read it in this order: `engines` (how each engine is asked), `pod_template`, `children` (what a service needs), `seen` (what its
pods show), `failures`, `status`, `view` (what stands in the cluster), `drift`, `reconciler` (one service), `services` (all).
"""
