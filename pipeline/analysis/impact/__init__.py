"""What an outage cost, and what sets the failed requests apart."""
