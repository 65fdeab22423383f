"""What spans several layers: chains, streams, attentions, heads, blocked and broken stretches."""
