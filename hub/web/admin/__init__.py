"""The owner's pages: connections, plugins, imports, dead letters, messages; plain HTML first."""
