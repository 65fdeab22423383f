"""From graph and numbers to layers and chains."""
