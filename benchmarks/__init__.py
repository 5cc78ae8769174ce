"""What is measured, and the organizations that it is measured on; not installed."""
