"""Standing room."""
