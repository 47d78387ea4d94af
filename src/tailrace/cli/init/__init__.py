"""`tailrace init`: what a new project begins with."""
