"""Language models that may read what the parser leaves over. Optional, asynchronous, never in the way of a pod.

    backend (what one is) <- bedrock, openai_compatible
    meanings -> prompt, schema (what is asked) -> validated (what of the answer is believed)

Nothing here is imported by the request path. `berth_intent.improvements` keeps and reads what came of it.
"""
