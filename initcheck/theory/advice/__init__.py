"""What to write instead, by nonlinearity and by place."""
