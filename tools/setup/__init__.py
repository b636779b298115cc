"""Sets up the environment."""
