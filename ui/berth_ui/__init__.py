"""The dashboard: its API (`/api/v1`) and its page (`/ui`)."""
