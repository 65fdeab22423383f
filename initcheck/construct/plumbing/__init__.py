"""What happens around the writes: registrations, calls of `Module.apply`, tensors that are no parameters, writes that came to nothing."""
