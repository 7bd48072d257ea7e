"""Pure functions over bytes: what can be proved here without believing anybody."""
