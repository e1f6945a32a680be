"""The door: HTTP, command line, sign-in, live push and migrations."""
