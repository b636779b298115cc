"""What several packages of `utils` rest on; no notebook imports it."""
