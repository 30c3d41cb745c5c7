"""What a driver's phone says, and what follows from it."""
