"""Kubernetes objects to an immutable snapshot.

The story, from the file outwards: `documents` finds the objects in files, `objects` and `pod_objects` say which of their
fields matter, `dump` puts them together. `nodes` and `pods` make one node and one pod each; for a pod `requests`
(with `quantities`), `terms`, `ports`, `volumes`, `owners`, `mobility` and `gangs` know one thing each, `budgets` for
PodDisruptionBudgets. What comes out is in `snapshot`. `matching` and `eligibility` answer which node takes which pod, and
`openb` makes a dump of the Alibaba trace.

A cluster as it goes on living is in `live`: `connection` speaks to the API server, a `reflector` a collection keeps the `stores`
and the `pod_index` equal to it, through the same definitions. See docs/watch-cache.md.
"""
