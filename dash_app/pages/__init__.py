"""The pages: each has a `layout`, plain callback functions, and `register(app, desk)` that connects them."""
