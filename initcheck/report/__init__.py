"""The voices: one module per output format."""
