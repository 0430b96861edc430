"""Checks of dates and values before they are used."""
