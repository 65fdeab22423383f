"""What single nonlinearities and gated products make of a Gaussian pre-activation."""
