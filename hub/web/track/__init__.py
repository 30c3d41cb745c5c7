"""The recipient's page: when does it come, and how it ended."""
