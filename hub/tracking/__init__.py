"""Where drivers are, when they will be there, and what a recipient may know of it."""
