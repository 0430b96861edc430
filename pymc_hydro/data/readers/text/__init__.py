"""Text tables and dates, looked over before they are parsed."""
