"""One OpenAI-compatible door to all services of a namespace, by model name.

Read it in this order: `replicas` (what is known of whom), `choice` (who gets a request), `holding` (while a service wakes),
`forwarding` (a request's way there and back), `discovery` (whom there is), `server` (the HTTP side).
"""
