"""A model's files, from where they are kept to a verified folder on this machine: `berth-fetch`, and `berth model push`.

Apart from the rest of the control plane: it runs in a small image of its own, and loads boto3 only for S3 and huggingface_hub
only for the Hub.
"""
