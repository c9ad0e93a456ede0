"""Floor 5: the HTTP verbs that kube-scheduler calls, and nothing else. It looks things up; it never solves."""
