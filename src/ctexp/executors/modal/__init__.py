"""Work on machines of Modal."""
