"""What the source of forward() tells about its arguments: which layer reads each of them first."""
