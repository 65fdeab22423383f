"""The hands: remedies put into models, checkpoints and source."""
