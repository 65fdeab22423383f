"""Where other tools plug in."""
