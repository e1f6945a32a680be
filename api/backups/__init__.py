"""Backups: one file that holds the database and its photographs, and the way back."""
