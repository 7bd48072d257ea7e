"""What the store does, in the store's words."""
