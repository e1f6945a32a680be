"""The panels: pure functions from rows and words to markup."""
