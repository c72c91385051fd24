"""Pictures: signals, the skeleton on a frame, the body with its sensors, and the report that holds all of them."""
