"""What a file of the user says, as text and syntax: read alike by those who look for models and by those who build them."""
