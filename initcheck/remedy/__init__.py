"""What mends or fills a model and then proves it: one module per verb."""
