"""Short, seeded trainings on handwritten digits that tell whether two variants of a model train differently."""
