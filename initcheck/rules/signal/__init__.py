"""What the measured forward and backward pass shows."""
