"""The loading dock: files and synthetic cities in, files out; checked, one transaction a dataset."""
