"""The losses and scores themselves, one family a file."""
