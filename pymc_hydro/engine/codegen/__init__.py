"""From equations to the text of a kernel."""
