"""What dates and values must be like, before they are used."""
