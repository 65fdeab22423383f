"""Tables that are looked up, and the layers that speak last."""
